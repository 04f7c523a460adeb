/** The operator's key in this browser: whose it is, who vouches, how to keep it, move it, and let it go. */
import { useSignal } from '@preact/signals'
import type { IdentityView } from '../../model'
import { useAct } from '../asked'
import { useModel } from '../context'
import { count } from '../format'
import { Button } from '../parts/button'
import { Call, Display } from '../parts/call'
import { Confirm } from '../parts/confirm'
import { Field } from '../parts/field'
import { Notice } from '../parts/notice'
import { Panel } from '../parts/panel'
import { routeHash } from '../route'
import { canWrite, method, sentence } from '../words'
import { BackupForm } from './backup'
import './you.css'

export function You() {
  const model = useModel()
  const identity = model.identity.value
  return <Panel title="You">{identity === null ? <Guest /> : <Operator identity={identity} />}</Panel>
}

function Guest() {
  const { secure, secureAddress } = useModel().server.value
  return (
    <>
      <p>
        You are here as a guest. Licensed? <a href={routeHash({ page: 'become', text: null })}>Get your certificate</a>. Not yet?{' '}
        <a href={routeHash({ page: 'licence' })}>How to become an operator</a>
      </p>
      {secure ? (
        <ImportKey />
      ) : (
        <>
          <p class="quiet">
            Operators log in with a key. Browsers keep keys safe only on pages whose address starts with https or with localhost,
            and this one does not.
          </p>
          {secureAddress !== null && (
            <p>
              <a href={routeHash({ page: 'trust' })}>The way to the secure address</a>
            </p>
          )}
        </>
      )}
    </>
  )
}

function Operator({ identity }: { identity: IdentityView }) {
  return (
    <>
      <Display>
        <Call label={identity.callsign} />
        {identity.licenceClass ?? 'Licence class not stated'}
      </Display>
      <p>
        {method(identity)} <a href={routeHash({ page: 'certificates', section: 'mine' })}>My certificate</a>
      </p>
      <KeyCopy identity={identity} />
      <ForgetKey identity={identity} />
    </>
  )
}

function KeyCopy({ identity }: { identity: IdentityView }) {
  if (!identity.exportable) {
    return (
      <p class="quiet">
        The key is kept in this browser and can no longer be copied out of it.{' '}
        {identity.backedUp ? 'Its copy is the .p12 file that you saved.' : 'Only a .p12 file saved earlier is a copy of it.'}
      </p>
    )
  }
  return (
    <div class="you-part">
      <h3>{identity.backedUp ? 'A copy of your key is saved. Save another?' : 'Keep a copy of your key'}</h3>
      <p class="quiet">It can be copied only until this page is closed or loaded anew.</p>
      <BackupForm />
    </div>
  )
}

function ImportKey() {
  const model = useModel()
  const busy = useSignal(false)
  const problem = useSignal<string | null>(null)

  const bring = async (form: HTMLFormElement) => {
    const data = new FormData(form)
    const file = data.get('file')
    if (!(file instanceof File && file.size > 0)) {
      problem.value = 'Choose the .p12 file first.'
      return
    }
    busy.value = true
    problem.value = null
    try {
      await model.importKey(file, String(data.get('password') ?? ''))
    } catch (failure) {
      problem.value = sentence(failure, 'The file could not be opened. Check the password and try again.')
    } finally {
      busy.value = false
    }
  }

  return (
    <form
      class="you-part"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!busy.value) void bring(event.currentTarget)
      }}
    >
      <h3>Are you an operator? Bring your key</h3>
      <Field label="The .p12 file" problem={problem.value ?? undefined}>
        {(input) => <input {...input} type="file" name="file" accept=".p12,.pfx,application/x-pkcs12" />}
      </Field>
      <Field label="Its password">{(input) => <input {...input} type="password" name="password" autocomplete="off" />}</Field>
      <div class="buttons">
        <Button kind="main" type="submit" disabled={busy.value}>
          {busy.value ? 'Opening the key' : 'Log in with this key'}
        </Button>
      </div>
    </form>
  )
}

function ForgetKey({ identity }: { identity: IdentityView }) {
  const model = useModel()
  const asking = useSignal(false)
  const { busy, problem, run } = useAct('The browser did not let go of the key. Try again.')
  const open = [...model.conversations.value.values()].filter(canWrite).length

  if (!asking.value) {
    return (
      <div class="buttons">
        <Button
          kind="danger"
          onClick={() => {
            asking.value = true
          }}
        >
          Forget this key
        </Button>
      </div>
    )
  }
  return (
    <Notice kind="danger">
      <p>Forget the key of {identity.callsign} in this browser?</p>
      <p>
        {open > 0 && `${count(open, 'conversation ends', 'conversations end')}. `}
        You become a guest here. {loss(identity, model.session.value.isOwner)}
      </p>
      {problem !== null && <p role="alert">{problem}</p>}
      <Confirm
        callsign={identity.callsign}
        words="Forget the key"
        working="Forgetting the key"
        cancel="Keep it"
        busy={busy}
        onConfirm={() => void run(() => model.forgetKey())}
        onCancel={() => {
          asking.value = false
        }}
      />
    </Notice>
  )
}

function loss(identity: IdentityView, owner: boolean): string {
  if (identity.backedUp) return 'You can come back with the .p12 file you saved.'
  return owner
    ? 'Without a saved .p12 file the key is gone for good, and with it your way to log in to this server as its owner.'
    : 'Without a saved .p12 file the key is gone for good, and somebody has to vouch for you anew.'
}
