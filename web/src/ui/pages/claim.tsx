/** The unclaimed server, seen on its own machine: one page that makes it somebody's. */
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { ClaimRequest, ClaimResult } from '../../model'
import { useModel } from '../context'
import { Button } from '../parts/button'
import { CallsignField } from '../parts/callsign-field'
import { Choice, Field } from '../parts/field'
import { Notice } from '../parts/notice'
import { Panel } from '../parts/panel'
import { Page } from '../shell/page'
import { sentence } from '../words'
import './claim.css'

type Problem = Extract<ClaimResult, { ok: false }>

const licenceClasses = [
  'Technician',
  'General',
  'Amateur Extra',
  'Foundation',
  'Intermediate',
  'Full',
  'Novice',
  'Class A',
  'Class E',
  'Class N',
  'CEPT Novice',
  'HAREC',
]

export function Claim() {
  const model = useModel()
  const form = useRef<HTMLFormElement>(null)
  const callsign = useSignal('')
  const keyFrom = useSignal<'new' | 'file'>('new')
  const openToNetwork = useSignal(true)
  const busy = useSignal(false)
  const problem = useSignal<Problem | null>(null)

  const problemAt = (field: Problem['field']) => (problem.value?.field === field ? problem.value.problem : undefined)

  const refuse = (found: Problem) => {
    problem.value = found
    const input = found.field === null ? null : form.current?.elements.namedItem(found.field)
    if (input instanceof HTMLElement) input.focus()
  }

  const submit = async () => {
    const request = readForm(form.current, keyFrom.value, openToNetwork.value)
    if ('problem' in request) return refuse(request)
    problem.value = null
    busy.value = true
    let result: ClaimResult
    try {
      result = await model.claim(request)
    } catch (failure) {
      result = { ok: false, field: null, problem: sentence(failure, 'The server did not answer. Nothing has changed; claim again.') }
    }
    busy.value = false
    if (!result.ok) refuse(result)
  }

  return (
    <Page title="Claim this server">
      <p class="lead">
        This server has no owner yet. If you are licensed and it is yours, claim it. Then everyone on this network can meet here,
        talk and pass files without the internet.
      </p>
      <form
        class="claim"
        ref={form}
        noValidate
        aria-busy={busy.value}
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy.value) void submit()
        }}
      >
        <Panel title="You and your station">
          <div class="claim-fields">
            <CallsignField
              callsign={callsign}
              wide
              hint="The server will carry it, and answer for itself with it."
              problem={problemAt('callsign')}
            />
            <Field label="Name" hint="Yours or the station’s. May stay empty." problem={problemAt('name')}>
              {(input) => <input {...input} name="name" maxLength={60} autocomplete="name" />}
            </Field>
            <Field label="Grid square" hint="Like FN31 or FN31pr. May stay empty." problem={problemAt('grid')}>
              {(input) => <input {...input} name="grid" maxLength={8} autocomplete="off" autocapitalize="characters" spellcheck={false} />}
            </Field>
            <Field label="Licence class" hint="As your licence says. May stay empty." problem={problemAt('licenceClass')}>
              {(input) => <input {...input} name="licenceClass" list="licence-classes" maxLength={32} autocomplete="off" />}
            </Field>
            <datalist id="licence-classes">
              {licenceClasses.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </div>
        </Panel>

        <Panel title="Your key">
          <fieldset>
            <legend class="visually-hidden">Your key</legend>
            <Choice
              type="radio"
              name="keyFrom"
              label="Make a new key"
              checked={keyFrom.value === 'new'}
              onChoose={() => {
                keyFrom.value = 'new'
              }}
            >
              This browser makes it now. Afterwards you save a copy of it.
            </Choice>
            <Choice
              type="radio"
              name="keyFrom"
              label="Bring my key"
              checked={keyFrom.value === 'file'}
              onChoose={() => {
                keyFrom.value = 'file'
              }}
            >
              From a .p12 file that you saved before, with its password.
            </Choice>
          </fieldset>
          {keyFrom.value === 'file' && (
            <div class="claim-fields">
              <Field label="The .p12 file" problem={problemAt('key')}>
                {(input) => <input {...input} type="file" name="key" accept=".p12,.pfx,application/x-pkcs12" />}
              </Field>
              <Field label="Its password">{(input) => <input {...input} type="password" name="password" autocomplete="off" />}</Field>
            </div>
          )}
        </Panel>

        <Panel title="Who may join">
          <Choice
            type="checkbox"
            name="openToNetwork"
            label="Let people on this network join"
            checked={openToNetwork.value}
            onChoose={(checked) => {
              openToNetwork.value = checked
            }}
          >
            {openToNetwork.value
              ? 'On: anyone on this Wi-Fi or cable can open the server’s address and be here as a guest.'
              : 'Off: only this machine can use the server. Others see that it is yours and closed.'}
          </Choice>
        </Panel>

        {problem.value?.field === null && (
          <Notice kind="danger" role="alert">
            <p>The server is not claimed.</p>
            <p>{problem.value.problem}</p>
          </Notice>
        )}
        <div class="claim-act">
          <Button kind="main" type="submit" disabled={busy.value}>
            {callsign.value ? `Claim as ${callsign.value}` : 'Claim this server'}
          </Button>
          <div role="status">
            {busy.value && (
              <>
                <p>
                  {keyFrom.value === 'new' ? 'Making your key' : 'Opening your key'} and signing for this server. A few seconds.
                </p>
                <progress aria-label="Claiming the server" />
              </>
            )}
          </div>
        </div>
      </form>
    </Page>
  )
}

/** What was typed, or what is missing before the server can be asked. */
function readForm(form: HTMLFormElement | null, keyFrom: 'new' | 'file', openToNetwork: boolean): ClaimRequest | Problem {
  const data = new FormData(form ?? undefined)
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const callsign = text('callsign').toUpperCase()
  if (callsign === '') return { ok: false, field: 'callsign', problem: 'Type your callsign first.' }
  const file = data.get('key')
  if (keyFrom === 'file' && !(file instanceof File && file.size > 0)) {
    return { ok: false, field: 'key', problem: 'Choose the .p12 file first, or make a new key.' }
  }
  return {
    callsign,
    name: text('name'),
    grid: text('grid'),
    licenceClass: text('licenceClass'),
    openToNetwork,
    key: file instanceof File && keyFrom === 'file' ? { file, password: String(data.get('password') ?? '') } : 'new',
  }
}
