/** The owner's blacklist for one certificate: says in numbers what it would change, and can be taken back. */
import { useSignal } from '@preact/signals'
import type { Blacklisted, CertificateView, Effect, Scope } from '../../../model-certificates'
import { useAct, useAsked } from '../../asked'
import { useModel } from '../../context'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Confirm } from '../../parts/confirm'
import { EffectView } from '../../parts/effect'
import { Choice, Field } from '../../parts/field'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'

interface Props {
  readonly certificate: CertificateView
  readonly done: () => void
}

/** What was just decided, and its way back. */
interface Decided {
  readonly words: string
  readonly effect: Effect
  readonly undo: Scope | null
}

export function Blacklist({ certificate, done }: Props) {
  const model = useModel()
  const asking = useSignal(false)
  const decided = useSignal<Decided | null>(null)
  const { busy, problem, run } = useAct()
  const { callsign, fingerprint, status } = certificate

  const blacklist = (scope: Scope, reason: string) =>
    void run(async () => {
      const effect = await model.certificates.blacklist(fingerprint, scope, reason)
      decided.value = { words: `${callsign} is blacklisted.`, effect, undo: scope }
      asking.value = false
      done()
    })
  const undo = (scope: Scope) =>
    void run(async () => {
      const effect = await model.certificates.unblacklist(fingerprint, scope)
      decided.value = { words: `${callsign} is not blacklisted any more.`, effect, undo: null }
      done()
    })

  return (
    <Panel title="Distrust">
      {decided.value !== null && (
        <Notice role="status">
          <p>{decided.value.words}</p>
          <EffectView effect={decided.value.effect} would={false} />
          {decided.value.undo !== null && (
            <div class="buttons">
              <Button disabled={busy} onClick={() => decided.value?.undo && undo(decided.value.undo)}>
                Undo
              </Button>
            </div>
          )}
        </Notice>
      )}
      {problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{problem}</p>
        </Notice>
      )}
      {decided.value === null && status === 'blacklisted' ? (
        <Standing certificate={certificate} busy={busy} undo={undo} />
      ) : asking.value ? (
        <Ask
          callsign={callsign}
          fingerprint={fingerprint}
          busy={busy}
          blacklist={blacklist}
          cancel={() => {
            asking.value = false
          }}
        />
      ) : (
        status !== 'blacklisted' && (
          <>
            <p>
              You can blacklist {callsign} on this server. It is your decision alone and is told to other servers only if you publish your blacklist. You see first whom it would hit, and you can take it
              back.
            </p>
            <div class="buttons">
              <Button
                kind="danger"
                onClick={() => {
                  decided.value = null
                  asking.value = true
                }}
              >
                Blacklist
              </Button>
            </div>
          </>
        )
      )}
    </Panel>
  )
}

const scopes: readonly (readonly [Scope, label: string, note: string])[] = [
  ['certificate', 'This certificate', 'Other certificates of the same key still count.'],
  ['key', 'This key', 'Whoever vouches for it. Another key for the callsign then waits for you.'],
  ['subtree', 'This key and everybody below', 'Also all whom it vouches for, step by step, even where others vouch for them.'],
]

interface AskProps {
  readonly callsign: string
  readonly fingerprint: string
  /** What another owner says, to begin with. */
  readonly advised?: { readonly scope: Scope; readonly reason: string }
  readonly busy: boolean
  readonly blacklist: (scope: Scope, reason: string) => void
  readonly cancel: () => void
}

/** Whom it would hit, and the confirmation. */
export function Ask({ callsign, fingerprint, advised, busy, blacklist, cancel }: AskProps) {
  const model = useModel()
  const scope = useSignal<Scope>(advised?.scope ?? 'certificate')
  const reason = useSignal(advised?.reason ?? '')
  const preview = useAsked(() => model.certificates.preview(fingerprint, scope.value), [fingerprint, scope.value])
  return (
    <Notice kind="danger">
      <p>Blacklist {callsign}?</p>
      <fieldset>
        <legend class="legend">What?</legend>
        {scopes.map(([name, label, note]) => (
          <Choice
            key={name}
            type="radio"
            name="scope"
            label={label}
            checked={scope.value === name}
            onChoose={() => {
              scope.value = name
            }}
          >
            {note}
          </Choice>
        ))}
      </fieldset>
      <div class="blacklist-preview" role="status" aria-busy={preview.asking}>
        <Answer asked={preview} what="whom it would hit">
          {(effect) => <EffectView effect={effect} would />}
        </Answer>
      </div>
      <Confirm callsign={callsign} words={`Blacklist ${callsign}`} working="Blacklisting" cancel="Leave it" busy={busy} onConfirm={() => blacklist(scope.value, reason.value)} onCancel={cancel}>
        <Field label="Why" hint="For yourself, and for whoever keeps this server after you. Others read it only if you publish your blacklist.">
          {(input) => (
            <input
              {...input}
              name="reason"
              maxLength={500}
              autocomplete="off"
              value={reason.value}
              onInput={(event) => {
                reason.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
      </Confirm>
    </Notice>
  )
}

/** It is blacklisted: by which decision, and the way back. */
function Standing({ certificate, busy, undo }: { certificate: CertificateView; busy: boolean; undo: (scope: Scope) => void }) {
  const model = useModel()
  const { callsign, fingerprint, keyId } = certificate
  const asked = useAsked(() => model.certificates.blacklisted(), [fingerprint])
  return (
    <Answer asked={asked} what="your decisions">
      {({ entries }) => {
        const own = entries.filter((entry) => (entry.scope === 'certificate' ? entry.fingerprint === fingerprint : entry.keyId === keyId))
        if (own.length === 0) return <p>{callsign} stands below a key that you blacklisted with everybody below it. Take that decision back to change this.</p>
        return own.map((entry) => <Entry key={entry.scope} entry={entry} busy={busy} undo={undo} />)
      }}
    </Answer>
  )
}

export const decidedWords: Record<Scope, string> = {
  certificate: 'You blacklisted this certificate',
  key: 'You blacklisted this key',
  subtree: 'You blacklisted this key and everybody below it',
}

function Entry({ entry, busy, undo }: { entry: Blacklisted; busy: boolean; undo: (scope: Scope) => void }) {
  return (
    <>
      <p>{decidedWords[entry.scope]}{entry.reason !== '' ? `: ${entry.reason}` : '.'}</p>
      <div class="buttons">
        <Button disabled={busy} label={`Take it back: ${decidedWords[entry.scope]}`} onClick={() => undo(entry.scope)}>
          Take it back
        </Button>
      </div>
    </>
  )
}
