/** What waits for the owner: people who ask, callsigns in dispute; and the codes that the owner hands out. */
import { useSignal } from '@preact/signals'
import type { Applicant, Candidate, Checked, Decisions } from '../../../model-certificates'
import { type Act, useAct, useAsked } from '../../asked'
import { howChecked } from '../../certificate-words'
import { useModel } from '../../context'
import { clock } from '../../format'
import { now } from '../../now'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { Field } from '../../parts/field'
import { Fingerprint } from '../../parts/fingerprint'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { routeHash } from '../../route'
import { Codes } from './codes'
import { HowChecked } from './how-checked'
import './requests.css'

export function Requests() {
  const { certificates } = useModel()
  const asked = useAsked(() => certificates.decisions(), [])
  return (
    <>
      <Answer asked={asked} what="what waits">
        {(decisions) => <Waiting decisions={decisions} again={asked.again} />}
      </Answer>
      <Codes />
    </>
  )
}

function Waiting({ decisions, again }: { decisions: Decisions; again: () => void }) {
  const { requests, contested, disputes, awaiting } = decisions
  if (requests.length + contested.length + disputes.length + awaiting.length === 0) {
    return <p class="lead">Nothing waits for you.</p>
  }
  return (
    <>
      {requests.map((applicant) => (
        <Request key={applicant.id} applicant={applicant} again={again} />
      ))}
      {awaiting.map(({ callsign, keyId, fingerprint }) => (
        <Awaiting key={`${callsign} ${keyId}`} callsign={callsign} keyId={keyId} fingerprint={fingerprint} again={again} />
      ))}
      {disputes.map((dispute) => (
        <Dispute key={dispute.old} dispute={dispute} again={again} />
      ))}
      {contested.map(({ callsign, keys }) => (
        <Panel key={callsign} title={`Several keys for ${callsign}`}>
          <Call label={callsign} />
          <p>
            {keys.length} trusted keys claim it. They may be one person’s devices, or somebody pretends. Ask {callsign}, compare the fingerprints, and blacklist the key that is not
            theirs.
          </p>
          <Candidates candidates={keys} />
        </Panel>
      ))}
    </>
  )
}

function Request({ applicant, again }: { applicant: Applicant; again: () => void }) {
  const { certificates } = useModel()
  const { id, callsign, licenceClass, keyId, method: claimed, note, why, askedAt } = applicant
  const method = useSignal<Checked['method']>(claimed === 'document' ? 'document' : 'in-person')
  const refusing = useSignal(false)
  const act = useAct()
  const decide = (decision: () => Promise<void>) =>
    void act.run(decision).then((worked) => {
      if (worked) again()
    })

  return (
    <Panel title={`${callsign} asks for a certificate`}>
      <Call label={callsign} />
      <p>
        {why} <span class="quiet">Since {clock(askedAt, now.value)}.</span>
      </p>
      {claimed !== 'document' && <p>It comes {howChecked(claimed)}.</p>}
      {note !== null && note !== '' && <blockquote class="request-note">{note}</blockquote>}
      <dl class="facts">
        <div>
          <dt>Their key. The same groups stand on their screen: compare before you approve</dt>
          <dd>
            <Fingerprint hex={keyId} />
          </dd>
        </div>
      </dl>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      {refusing.value ? (
        <Refuse
          callsign={callsign}
          act={act}
          refuse={(reason) => decide(() => certificates.refuse(id, reason))}
          cancel={() => {
            refusing.value = false
          }}
        />
      ) : (
        <form
          class="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            const licence = String(new FormData(event.currentTarget).get('licenceClass') ?? '')
            decide(() => certificates.approve(id, { method: method.value, licenceClass: licence }))
          }}
        >
          <HowChecked method={method} callsign={callsign} />
          <Field label="Licence class" hint="As the licence says. May stay empty.">
            {(input) => <input {...input} name="licenceClass" maxLength={32} autocomplete="off" defaultValue={licenceClass ?? ''} />}
          </Field>
          <div class="buttons">
            <Button kind="main" type="submit" disabled={act.busy}>
              {act.busy ? 'Signing' : `Vouch for ${callsign}`}
            </Button>
            <Button
              onClick={() => {
                refusing.value = true
              }}
            >
              Refuse
            </Button>
          </div>
        </form>
      )}
    </Panel>
  )
}

interface RefuseProps {
  readonly callsign: string
  readonly act: Act
  readonly refuse: (reason: string) => void
  readonly cancel: () => void
}

function Refuse({ callsign, act, refuse, cancel }: RefuseProps) {
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        refuse(String(new FormData(event.currentTarget).get('reason') ?? '').trim())
      }}
    >
      <Field label={`Why? ${callsign} reads this`} hint="For example: come by with your licence.">
        {(input) => <input {...input} name="reason" maxLength={200} autocomplete="off" />}
      </Field>
      <div class="buttons">
        <Button kind="danger" type="submit" disabled={act.busy}>
          {act.busy ? 'Refusing' : 'Refuse'}
        </Button>
        <Button onClick={cancel}>Not yet</Button>
      </div>
    </form>
  )
}

interface AwaitingProps {
  readonly callsign: string
  readonly keyId: string
  readonly fingerprint: string
  readonly again: () => void
}

function Awaiting({ callsign, keyId, fingerprint, again }: AwaitingProps) {
  const { certificates } = useModel()
  const act = useAct()
  return (
    <Panel title={`Another key for ${callsign}`}>
      <Call label={callsign} />
      <p>You blacklisted a key of {callsign}, and this one claims the callsign now. It counts for nothing until you accept it. Ask {callsign} in person.</p>
      <Candidates candidates={[{ keyId, fingerprint }]} />
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      <div class="buttons">
        <Button
          disabled={act.busy}
          onClick={() =>
            void act.run(async () => {
              await certificates.acceptKey(callsign, keyId)
              again()
            })
          }
        >
          Accept this key for {callsign}
        </Button>
      </div>
    </Panel>
  )
}

function Dispute({ dispute, again }: { dispute: Decisions['disputes'][number]; again: () => void }) {
  const { certificates } = useModel()
  const act = useAct()
  const who = dispute.callsign ?? `the key ${dispute.old.slice(0, 8)}`
  return (
    <Panel title={`Two keys claim to follow the one of ${who}`}>
      {dispute.callsign !== null && <Call label={dispute.callsign} />}
      <p>Both say that they took the place of the key of {who}. Both are suspended until you decide. Ask {who} in person which is theirs.</p>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      {dispute.successors.map(({ keyId, fingerprint }) => (
        <div class="request-choice" key={keyId}>
          <Candidates candidates={[{ keyId, fingerprint }]} />
          <div class="buttons">
            <Button
              label={`This one is theirs: ${keyId.slice(0, 8)}`}
              disabled={act.busy}
              onClick={() =>
                void act.run(async () => {
                  await certificates.chooseSuccessor(dispute.old, keyId)
                  again()
                })
              }
            >
              This one is theirs
            </Button>
          </div>
        </div>
      ))}
    </Panel>
  )
}

function Candidates({ candidates }: { candidates: readonly Candidate[] }) {
  return (
    <ul class="plain">
      {candidates.map(({ keyId, fingerprint }) => (
        <li key={keyId}>
          <Fingerprint hex={fingerprint ?? keyId} />
          {fingerprint !== null && <a href={routeHash({ page: 'certificate', fingerprint })}>Look at this certificate</a>}
        </li>
      ))}
    </ul>
  )
}
