/** Our request for a certificate on its way: what it waits for, and what we can do meanwhile. */
import { useSignal } from '@preact/signals'
import type { RequestView } from '../../../model-certificates'
import { useAct } from '../../asked'
import { useModel } from '../../context'
import { requestLink, readEndorsement } from '../../invitations'
import { Button } from '../../parts/button'
import { Call, Display } from '../../parts/call'
import { QrOf } from '../../parts/code'
import { Copyable } from '../../parts/copyable'
import { Field } from '../../parts/field'
import { Fingerprint } from '../../parts/fingerprint'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { StateLine } from '../../parts/state'

/** Enough to be believed. */
const needed = 3

export function RequestState() {
  const request = useModel().certificates.request.value
  if (request === null) return null
  return (
    <>
      <Display>
        <Call label={request.callsign} />
        {request.licenceClass ?? 'Licence class not stated'}
      </Display>
      {request.state === 'waiting' && <Waits request={request} />}
      {request.state === 'refused' && <Refused request={request} />}
      {request.state === 'collecting' && <Collecting request={request} />}
      <Abandon request={request} />
    </>
  )
}

function Waits({ request }: { request: RequestView }) {
  const owner = useModel().server.value.owner ?? 'the owner'
  return (
    <>
      <div role="status">
        <StateLine state={{ lamp: 'busy', words: `Waits for ${owner} to decide` }} since={request.since} />
      </div>
      {request.reason !== null && <p>{request.reason}</p>}
      <p>This page looks again by itself, and you are an operator as soon as {owner} agrees. You can close it and come back with this browser.</p>
      <Panel title="Your key">
        <p>{owner} sees the same groups, and may ask you to read them out.</p>
        <Fingerprint hex={request.keyId} />
      </Panel>
    </>
  )
}

function Refused({ request }: { request: RequestView }) {
  return (
    <Notice kind="danger" role="status">
      <p>This request did not lead to a certificate</p>
      <p>{request.reason}</p>
    </Notice>
  )
}

function Collecting({ request }: { request: RequestView }) {
  const model = useModel()
  const { keyId, callsign, licenceClass, endorsedBy } = request
  const link = requestLink(model.server.value, { keyId, callsign, licenceClass })
  const adding = useAct()
  const sending = useAct('The server did not answer. Your endorsements are still here; try again.')
  const problem = useSignal<string | null>(null)

  const add = (form: HTMLFormElement) => {
    const endorsement = readEndorsement(String(new FormData(form).get('endorsement') ?? ''))
    problem.value = endorsement === null ? 'This is not what the operator’s app shows, or a part of it is missing. Copy it once more.' : null
    if (endorsement === null) return
    void adding.run(() => model.certificates.addEndorsement(endorsement)).then((worked) => {
      if (worked) form.reset()
    })
  }

  return (
    <>
      <div role="status">
        <StateLine state={{ lamp: endorsedBy.length < needed ? 'busy' : 'on', words: `${endorsedBy.length} of ${needed} operators gave their word` }} />
      </div>
      <Panel title="1. Show this to an operator">
        <p>They scan it with a phone’s camera, or open the link in the browser that has their key. Or send them the link in a conversation.</p>
        <QrOf text={link} what={`the request of ${callsign}`} />
        <Copyable text={link} what="the link" />
        <p>The key in it, for comparing:</p>
        <Fingerprint hex={keyId} />
      </Panel>
      <Panel title="2. Take what they give back">
        <p>Their app then shows a code: scan it with this device, or paste its text here.</p>
        <form
          class="become-form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            add(event.currentTarget)
          }}
        >
          <Field label="What the operator’s app shows" problem={problem.value ?? adding.problem ?? undefined}>
            {(input) => <input {...input} name="endorsement" autocomplete="off" spellcheck={false} />}
          </Field>
          <div class="buttons">
            <Button type="submit" disabled={adding.busy}>
              Add
            </Button>
          </div>
        </form>
        {endorsedBy.length > 0 && (
          <ul class="become-keys">
            {endorsedBy.map((key) => (
              <li key={key}>
                The key <code>{key.slice(0, 8).toUpperCase()}</code>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {sending.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{sending.problem}</p>
        </Notice>
      )}
      <div class="buttons">
        <Button kind="main" disabled={endorsedBy.length < needed || sending.busy} onClick={() => void sending.run(async () => void (await model.certificates.sendEndorsements()))}>
          {sending.busy ? 'Asking the server' : 'Hand it in'}
        </Button>
      </div>
    </>
  )
}

function Abandon({ request }: { request: RequestView }) {
  const { certificates } = useModel()
  const act = useAct('The browser did not let go of the request. Try again.')
  const asking = useSignal(false)
  const drop = () => void act.run(() => certificates.abandon())
  if (request.state === 'refused') {
    return (
      <div class="buttons">
        <Button kind="main" disabled={act.busy} onClick={drop}>
          Try another way
        </Button>
      </div>
    )
  }
  return asking.value ? (
    <Notice kind="warn">
      <p>Give up this request?</p>
      <p>Its key goes with it{request.endorsedBy.length > 0 ? ', and the words you collected' : ''}. You can ask again in another way.</p>
      <div class="buttons">
        <Button kind="danger" disabled={act.busy} onClick={drop}>
          Give it up
        </Button>
        <Button
          onClick={() => {
            asking.value = false
          }}
        >
          Keep it
        </Button>
      </div>
    </Notice>
  ) : (
    <div class="buttons">
      <Button
        onClick={() => {
          asking.value = true
        }}
      >
        Give up this request
      </Button>
    </div>
  )
}
