/** Who is at the other end of the call; a tap shows by whose word, and the certificate. */
import type { Proof as CallProof } from '../../model'
import { Fingerprint } from '../parts/fingerprint'
import { Icon } from '../parts/icons'
import { proofLine, proofMeaning, stepName } from '../proof-words'
import { routeHash } from '../route'
import './proof.css'

export function Proof({ proof }: { proof: CallProof }) {
  const certificate = proof.kind === 'proven' ? proof.path[0] : proof.kind === 'unproven' ? proof.certificate : undefined
  return (
    <details class="talk-kind proof">
      <summary>
        {proof.kind === 'proven' && <Icon name="verified" />}
        <span>{proofLine(proof)}</span>
      </summary>
      <p>{proofMeaning(proof)}</p>
      {proof.kind === 'plain-page' && (
        <p>
          <a href={routeHash({ page: 'trust' })}>The way to the secure address</a>
        </p>
      )}
      {proof.kind === 'proven' && proof.path.length > 1 && (
        <>
          <h2 class="engraved">Vouched for, step by step</h2>
          <ol class="proof-path">
            {proof.path.map((step, index) => (
              <li key={step.fingerprint}>
                {stepName(step)}
                {index === proof.path.length - 1 && <span class="proof-known">, whom this browser believes</span>}
              </li>
            ))}
          </ol>
        </>
      )}
      {certificate !== undefined && (
        <>
          <h2 class="engraved">Fingerprint of the certificate of {certificate.callsign}</h2>
          <Fingerprint hex={certificate.fingerprint} />
        </>
      )}
    </details>
  )
}
