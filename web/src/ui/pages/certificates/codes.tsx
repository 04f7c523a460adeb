/** Codes that the owner hands to somebody whose licence they have seen: each makes one certificate. */
import { useSignal } from '@preact/signals'
import type { NewCode, OpenCode } from '../../../model-certificates'
import { useAct, useAsked } from '../../asked'
import { useModel } from '../../context'
import { clock } from '../../format'
import { codeLink } from '../../invitations'
import { now } from '../../now'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { QrOf } from '../../parts/code'
import { Field } from '../../parts/field'
import { Icon } from '../../parts/icons'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import './codes.css'

export function Codes() {
  const { certificates } = useModel()
  const made = useSignal<NewCode | null>(null)
  const open = useAsked(() => certificates.codes(), [])
  return (
    <>
      <Panel title="A code for somebody beside you">
        {made.value === null ? (
          <MakeCode
            done={(code) => {
              made.value = code
              open.again()
            }}
          />
        ) : (
          <Fresh
            code={made.value}
            done={() => {
              made.value = null
            }}
          />
        )}
      </Panel>
      <Panel title="Open codes">
        <Answer asked={open} what="the open codes">
          {(codes) =>
            codes.length === 0 ? (
              <p class="quiet">No code waits to be used.</p>
            ) : (
              <ul class="codes">
                {codes.map((code) => (
                  <Open key={code.id} code={code} again={open.again} />
                ))}
              </ul>
            )
          }
        </Answer>
      </Panel>
      {made.value !== null && <CodeSheet code={made.value} />}
    </>
  )
}

function MakeCode({ done }: { done: (code: NewCode) => void }) {
  const { certificates } = useModel()
  const act = useAct()
  const make = (form: HTMLFormElement) => {
    const data = new FormData(form)
    const callsign = String(data.get('callsign') ?? '').trim()
    if (callsign === '') return act.complain('Type their callsign first.')
    void act.run(async () => {
      done(await certificates.makeCode(callsign, String(data.get('licenceClass') ?? '')))
    })
  }
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        make(event.currentTarget)
      }}
    >
      <p>Look at their licence first. With the code they make their own key and get a certificate that says you checked in person.</p>
      <Field label="Their callsign" problem={act.problem ?? undefined}>
        {(input) => <input {...input} class="input input-call" name="callsign" maxLength={20} autocomplete="off" autocapitalize="characters" spellcheck={false} />}
      </Field>
      <Field label="Licence class" hint="As the licence says. May stay empty.">
        {(input) => <input {...input} name="licenceClass" maxLength={32} autocomplete="off" />}
      </Field>
      <div class="buttons">
        <Button kind="main" type="submit" disabled={act.busy}>
          {act.busy ? 'Making the code' : 'Make a code'}
        </Button>
      </div>
    </form>
  )
}

function Fresh({ code, done }: { code: NewCode; done: () => void }) {
  const server = useModel().server.value
  const { callsign, licenceClass, code: secret } = code
  return (
    <div class="code-fresh">
      <p>
        For <Call label={callsign} />
        {licenceClass !== null && `, ${licenceClass}`}
      </p>
      <GroupedCode code={secret} />
      <p>Let {callsign} scan this, or type the code under “Get your certificate”. It works once, and is shown only now.</p>
      <QrOf text={codeLink(server, { callsign, licenceClass: licenceClass ?? '', code: secret })} what={`the code for ${callsign}`} />
      <div class="buttons">
        <Button onClick={() => print()}>
          <Icon name="print" />
          Print
        </Button>
        <Button kind="main" onClick={done}>
          Done
        </Button>
      </div>
    </div>
  )
}

/** A code as the server writes it, with dashes between the groups; it is read aloud without them. */
function GroupedCode({ code }: { code: string }) {
  return (
    <p class="code-groups">
      {code.split('-').map((group, index) => (
        <span key={index}>{group} </span>
      ))}
    </p>
  )
}

function Open({ code, again }: { code: OpenCode; again: () => void }) {
  const { certificates } = useModel()
  const act = useAct()
  return (
    <li>
      <Call label={code.callsign} />
      <span class="quiet">
        {code.licenceClass !== null && `${code.licenceClass}. `}Made {clock(code.madeAt, now.value)}
      </span>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      <Button
        label={`Remove the code of ${code.callsign}`}
        disabled={act.busy}
        onClick={() =>
          void act.run(async () => {
            await certificates.removeCode(code.id)
            again()
          })
        }
      >
        Remove
      </Button>
    </li>
  )
}

/** Only paper shows it. */
function CodeSheet({ code }: { code: NewCode }) {
  const server = useModel().server.value
  const { callsign, licenceClass, code: secret } = code
  const [address] = server.secureAddress?.urls ?? server.addresses
  return (
    <section class="sheet" aria-hidden="true">
      <p class="sheet-title">A certificate for</p>
      <p>
        <Call label={callsign} /> {licenceClass}
      </p>
      <QrOf text={codeLink(server, { callsign, licenceClass: licenceClass ?? '', code: secret })} what="the code" />
      <GroupedCode code={secret} />
      <p>
        Scan this on the device where your key is to live, or open {address ?? 'the server’s address'}, choose “Get your certificate” and type the code. It works once.
      </p>
      <p>From {server.owner}, who checked the licence in person.</p>
    </section>
  )
}
