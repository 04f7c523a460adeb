/** From guest to operator, for whoever is licensed: who they are, and how they can show it. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { IdentityView } from '../../../model'
import type { Wish } from '../../../model-certificates'
import { useAct } from '../../asked'
import { useModel } from '../../context'
import { readCode } from '../../invitations'
import { Button } from '../../parts/button'
import { Call, Display } from '../../parts/call'
import { CallsignField } from '../../parts/callsign-field'
import { Choice, Field } from '../../parts/field'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { replace, routeHash } from '../../route'
import { PageTitle } from '../../shell/page-title'
import { method, serverName } from '../../words'
import { Backup } from '../backup'
import { RequestState } from './request-state'
import { type Way, WayFields, ways } from './ways'
import './become.css'

/** `text` is what a scanned code brought. */
export function Become({ text }: { text: string | null }) {
  const model = useModel()
  const { secure, secureAddress } = model.server.value
  const identity = model.identity.value
  return (
    <div class="page become">
      <PageTitle>Get your certificate</PageTitle>
      {identity !== null ? (
        <Done identity={identity} />
      ) : model.certificates.request.value !== null ? (
        <RequestState />
      ) : secure ? (
        <Ask text={text} />
      ) : (
        <>
          <p class="lead">Your certificate belongs to a key in this browser, and browsers keep keys safe only on pages whose address starts with https or with localhost.</p>
          {secureAddress !== null && (
            <div class="buttons">
              <a class="button button-main" href={routeHash({ page: 'trust' })}>
                The way to the secure address
              </a>
            </div>
          )}
        </>
      )}
    </div>
  )
}

function Done({ identity }: { identity: IdentityView }) {
  return (
    <>
      <Display>
        <Call label={identity.callsign} />
        {identity.licenceClass ?? 'Licence class not stated'}
      </Display>
      <p class="lead">You have a certificate. {method(identity)}</p>
      <Backup />
      <div class="buttons">
        <a class="button button-main" href={routeHash({ page: 'people' })}>
          See who is here
        </a>
        <a class="button" href={routeHash({ page: 'certificates', section: 'mine' })}>
          My certificate
        </a>
      </div>
    </>
  )
}

function Ask({ text }: { text: string | null }) {
  const model = useModel()
  const server = model.server.value
  const invited = useRef(text === null ? null : readCode(text)).current
  const form = useRef<HTMLFormElement>(null)
  const callsign = useSignal(invited?.callsign ?? '')
  const way = useSignal<Way>('code')
  const missing = useSignal<{ readonly field: string; readonly words: string } | null>(null)
  const act = useAct('The server did not answer. Nothing was kept; try again.')

  useEffect(() => {
    // A code is worth a certificate: it does not stay in the address.
    if (text !== null) replace({ page: 'become', text: null })
  }, [])

  const problemAt = (field: string) => (missing.value?.field === field ? missing.value.words : undefined)
  const lack = (field: string, words: string) => {
    missing.value = { field, words }
    const input = form.current?.elements.namedItem(field)
    if (input instanceof HTMLElement) input.focus()
  }

  const submit = () => {
    const data = new FormData(form.current ?? undefined)
    const wish: Wish = { callsign: callsign.value, licenceClass: String(data.get('licenceClass') ?? '') }
    missing.value = null
    if (wish.callsign.trim() === '') return lack('callsign', 'Type your callsign first.')
    const { needs, go } = ways[way.value]
    const lacking = needs(data)
    if (lacking) return lack(lacking.field, lacking.words)
    void act.run(() => go(model.certificates, wish, data))
  }

  return (
    <>
      <p class="lead">You are licensed: then {serverName(server)} can vouch for you, and you start calls here like every operator.</p>
      <form
        class="become-form"
        ref={form}
        noValidate
        aria-busy={act.busy}
        onSubmit={(event) => {
          event.preventDefault()
          if (!act.busy) submit()
        }}
      >
        <Panel title="You">
          <CallsignField callsign={callsign} problem={problemAt('callsign')} />
          <Field label="Licence class" hint={way.value === 'code' ? 'As it stands beside the code. May stay empty.' : 'As your licence says. May stay empty.'}>
            {(input) => <input {...input} name="licenceClass" maxLength={32} autocomplete="off" defaultValue={invited?.licenceClass ?? ''} />}
          </Field>
        </Panel>
        <Panel title="How can you show it?">
          <fieldset>
            <legend class="visually-hidden">How can you show it?</legend>
            {(Object.keys(ways) as Way[]).map((name) => (
              <Choice
                key={name}
                type="radio"
                name="way"
                label={ways[name].label}
                checked={way.value === name}
                onChoose={() => {
                  way.value = name
                  missing.value = null
                  act.complain(null)
                }}
              >
                {ways[name].note(server.owner ?? 'the owner')}
              </Choice>
            ))}
          </fieldset>
          <WayFields way={way.value} code={invited?.code ?? ''} problemAt={problemAt} />
        </Panel>
        {act.problem !== null && (
          <Notice kind="danger" role="alert">
            <p>You have no certificate yet.</p>
            <p>{act.problem}</p>
          </Notice>
        )}
        <div class="become-act">
          <Button kind="main" type="submit" disabled={act.busy}>
            {ways[way.value].button}
          </Button>
          <div role="status">
            {act.busy && (
              <>
                <p>Making your key and asking the server. A few seconds.</p>
                <progress aria-label="Asking for your certificate" />
              </>
            )}
          </div>
        </div>
      </form>
      <p class="quiet">
        You have a .p12 file with your key already? <a href={routeHash({ page: 'station' })}>Bring it under Station</a>. Not licensed yet?{' '}
        <a href={routeHash({ page: 'licence' })}>How to become an operator</a>
      </p>
    </>
  )
}
