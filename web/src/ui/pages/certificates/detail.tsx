/** One certificate: what it counts for here and why, how to compare it, and what can be decided about it. */
import type { CertificateView, Explanation } from '../../../model-certificates'
import { useAsked } from '../../asked'
import { statusState, whoVouches } from '../../certificate-words'
import { useModel } from '../../context'
import { download } from '../../download'
import { clock, count } from '../../format'
import { now } from '../../now'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { Fingerprint } from '../../parts/fingerprint'
import { Icon } from '../../parts/icons'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { PathView } from '../../parts/path'
import { StateLine } from '../../parts/state'
import { routeHash } from '../../route'
import { Blacklist } from './blacklist'
import { Graph } from './graph'
import { TakeBack } from './take-back'
import { Vouch } from './vouch'
import './detail.css'

export function CertificateDetail({ fingerprint }: { fingerprint: string }) {
  const { certificates } = useModel()
  const asked = useAsked(
    async () => {
      const [certificate, explanation] = await Promise.all([certificates.get(fingerprint), certificates.explain(fingerprint)])
      return { certificate, explanation }
    },
    [fingerprint],
  )
  return (
    <div class="page certificates certificate">
      <a class="certificate-back" href={routeHash({ page: 'certificates', section: 'people' })}>
        <Icon name="back" />
        <span>People</span>
      </a>
      <h1 class="certificate-who" tabIndex={-1}>
        {asked.value === null ? 'Certificate' : <Call label={asked.value.certificate.callsign} />}
      </h1>
      <Answer asked={asked} what="the certificate">
        {({ certificate, explanation }) => <Content certificate={certificate} explanation={explanation} again={asked.again} />}
      </Answer>
    </div>
  )
}

interface ContentProps {
  readonly certificate: CertificateView
  readonly explanation: Explanation
  readonly again: () => void
}

function Content({ certificate, explanation, again }: ContentProps) {
  const model = useModel()
  const { isOwner, role } = model.session.value
  const mine = model.identity.value?.keyId === certificate.keyId
  const mayVouch = role === 'licensed' && !mine && !certificate.server && !certificate.byUs && certificate.status !== 'blacklisted'
  return (
    <>
      <div class="certificate-state">
        <StateLine state={statusState(certificate.status)} />
        <p>{explanation.sentence}</p>
      </div>
      <Warnings certificate={certificate} />
      <Why certificate={certificate} explanation={explanation} />
      {mayVouch && <Vouch certificate={certificate} done={again} />}
      {certificate.byUs && certificate.status !== 'revoked' && <TakeBack certificate={certificate} done={again} />}
      <Facts certificate={certificate} />
      <Graph fingerprint={certificate.fingerprint} />
      {isOwner && !mine && <Blacklist certificate={certificate} done={again} />}
    </>
  )
}

function Warnings({ certificate }: { certificate: CertificateView }) {
  const { callsign, contestedBy, advice, successor } = certificate
  return (
    <>
      {contestedBy.length > 0 && (
        <Notice kind="warn">
          <p>{count(contestedBy.length + 1, 'key claims', 'keys claim')} this callsign</p>
          <p>
            {callsign} may have several devices, or somebody may pretend to be {callsign}. Ask {callsign} in person which of these keys are theirs, and compare the
            fingerprints.
          </p>
          <p>
            <a href={routeHash({ page: 'certificates', section: 'people' })}>All certificates of people</a>
          </p>
        </Notice>
      )}
      {advice.length > 0 && (
        <Notice kind="warn">
          <p>
            {advice.map(({ callsign: by, keyId }) => by ?? `the key ${keyId.slice(0, 8)}`).join(', ')} {advice.length > 1 ? 'say' : 'says'} that this certificate must not be
            trusted
          </p>
          <p>That is their word, and changes nothing here by itself. The owner of this server decides.</p>
        </Notice>
      )}
      {successor !== null && (
        <Notice>
          <p>{callsign} has a newer key</p>
          <p>The key of this certificate was changed for another, which both keys signed.</p>
        </Notice>
      )}
    </>
  )
}

function Why({ certificate, explanation }: { certificate: CertificateView; explanation: Explanation }) {
  const { paths, roots, blocked, trustedBy } = explanation
  const [first, ...others] = paths
  return (
    <Panel title={first === undefined ? 'Why not' : 'Who vouches'}>
      {first !== undefined && (
        <>
          <p class="quiet">From {certificate.callsign} up to a root that this server’s owner trusts:</p>
          <PathView way={first} here={certificate.fingerprint} />
        </>
      )}
      {others.length > 0 && (
        <details class="certificate-more">
          <summary>{count(others.length, 'other way')} to a root</summary>
          {others.map((path) => (
            <PathView key={path.steps.map((step) => step.fingerprint).join()} way={path} here={certificate.fingerprint} />
          ))}
        </details>
      )}
      {first === undefined && blocked.length > 0 && (
        <ul class="plain">
          {blocked.map(({ step, cause }) => (
            <li key={step.fingerprint}>
              <a href={routeHash({ page: 'certificate', fingerprint: step.fingerprint })}>{step.callsign}</a> stands in the way: {cause ?? 'its holder may not vouch for others'}.
            </li>
          ))}
        </ul>
      )}
      {first === undefined && roots.length > 0 && (
        <>
          <p>The ways up end at {count(roots.length, 'root')} that the owner of this server does not trust:</p>
          <ul class="plain">
            {roots.map((step) => (
              <li key={step.fingerprint}>
                {step.fingerprint === certificate.fingerprint ? `${step.callsign}, this certificate itself` : <a href={routeHash({ page: 'certificate', fingerprint: step.fingerprint })}>{step.callsign}</a>}
              </li>
            ))}
          </ul>
        </>
      )}
      {trustedBy.length > 0 && (
        <p>
          The same key has {trustedBy.length > 1 ? 'other certificates that are' : 'another certificate that is'} trusted here:{' '}
          {trustedBy.map((other, index) => (
            <>
              {index > 0 && ', '}
              <a key={other} href={routeHash({ page: 'certificate', fingerprint: other })}>
                {other.slice(0, 8)}
              </a>
            </>
          ))}
          .
        </p>
      )}
      {first === undefined && blocked.length === 0 && roots.length === 0 && trustedBy.length === 0 && (
        <p class="quiet">Nothing more is known about it.</p>
      )}
    </Panel>
  )
}

function Facts({ certificate }: { certificate: CertificateView }) {
  const { callsign, fingerprint, pem, licenceClass, madeAt, generation } = certificate
  return (
    <Panel title="The certificate">
      <dl class="facts">
        <div>
          <dt>Fingerprint: read the groups to each other to be sure that you mean the same</dt>
          <dd>
            <Fingerprint hex={fingerprint} />
          </dd>
        </div>
        <div>
          <dt>Holder’s licence</dt>
          <dd>{licenceClass ?? 'Class not stated'}. {whoVouches(certificate)}.</dd>
        </div>
        {generation > 0 && (
          <div>
            <dt>Key</dt>
            <dd>{callsign} changed keys {count(generation, 'time')} before this one.</dd>
          </div>
        )}
        <div>
          <dt>Made, by its maker’s clock</dt>
          <dd>{clock(madeAt, now.value)}</dd>
        </div>
      </dl>
      <div class="buttons">
        <Button onClick={() => download(new Blob([pem], { type: 'application/x-pem-file' }), `${callsign.replaceAll('/', '-')}-${fingerprint.slice(0, 8)}.pem`)}>
          <Icon name="save" />
          Save the certificate
        </Button>
      </div>
    </Panel>
  )
}
