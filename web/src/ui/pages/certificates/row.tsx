/** One certificate of a list: whose, what it counts for here, who vouched and how. */
import type { CertificateSummary } from '../../../model-certificates'
import { statusState, whoVouches } from '../../certificate-words'
import { Call } from '../../parts/call'
import { StateLine } from '../../parts/state'
import { routeHash } from '../../route'

function standing(certificate: CertificateSummary): string {
  if (!certificate.anchor) return whoVouches(certificate)
  return certificate.server ? `${whoVouches(certificate)}, a root here` : 'A root here: trusted without anybody else’s word'
}

export function CertificateRow({ certificate }: { certificate: CertificateSummary }) {
  return (
    <li>
      <a class="certificate-row" href={routeHash({ page: 'certificate', fingerprint: certificate.fingerprint })}>
        <Call label={certificate.callsign} />{' '}
        <StateLine state={statusState(certificate.status)} />{' '}
        <span class="certificate-by">
          {standing(certificate)}
          {certificate.licenceClass !== null && `. ${certificate.licenceClass}`}
        </span>
      </a>
    </li>
  )
}
