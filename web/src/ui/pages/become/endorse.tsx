/** An operator gives their word for somebody's request; and the applicant takes it. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Endorsement, EndorsementRequest } from '../../../model-certificates'
import { useAct } from '../../asked'
import { useModel } from '../../context'
import { endorsementLink, readEndorsement, readRequest } from '../../invitations'
import { Button } from '../../parts/button'
import { Call, Display } from '../../parts/call'
import { QrOf } from '../../parts/code'
import { Copyable } from '../../parts/copyable'
import { Fingerprint } from '../../parts/fingerprint'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { replace, routeHash } from '../../route'
import { PageTitle } from '../../shell/page-title'

export function Endorse({ text }: { text: string }) {
  const model = useModel()
  const request = readRequest(text)
  const { role } = model.session.value
  return (
    <div class="page become">
      <PageTitle>{request === null ? 'This request cannot be read' : `Your word for ${request.callsign}`}</PageTitle>
      {request === null ? (
        <p class="lead">A part of its link is missing. Scan the code once more, or have the whole link sent to you.</p>
      ) : role === 'licensed' ? (
        <Give request={request} />
      ) : (
        <>
          <p class="lead">{request.callsign} asks an operator for their word. You are here as a guest.</p>
          <p>
            Open the link in the browser that has your key. <a href={routeHash({ page: 'become', text: null })}>Get your certificate</a>
          </p>
        </>
      )}
    </div>
  )
}

function Give({ request }: { request: EndorsementRequest }) {
  const model = useModel()
  const given = useSignal<Endorsement | null>(null)
  const act = useAct()
  const { callsign, licenceClass, keyId } = request
  if (given.value !== null) {
    const link = endorsementLink(model.server.value, given.value)
    return (
      <>
        <p class="lead" role="status">
          Done. Now hand it to {callsign}: it counts only together with the words of two others.
        </p>
        <Panel title={`For ${callsign}`}>
          <QrOf text={link} what={`your word for ${callsign}`} />
          <Copyable text={link} what="your word" />
        </Panel>
      </>
    )
  }
  return (
    <>
      <Display>
        <Call label={callsign} />
        {licenceClass ?? 'Licence class not stated'}
      </Display>
      <p class="lead">{callsign} asks you to say that you know them, and that they hold this licence.</p>
      <Panel title="Their key">
        <p>Compare it with the screen of {callsign}.</p>
        <Fingerprint hex={keyId} />
      </Panel>
      <p>Your word is signed with your key. With the words of two other operators, the server gives {callsign} a certificate. Whoever gives it carelessly loses the trust of others.</p>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      <div class="buttons">
        <Button
          kind="main"
          disabled={act.busy}
          onClick={() =>
            void act.run(async () => {
              given.value = await model.certificates.endorse(request)
            })
          }
        >
          {act.busy ? 'Signing' : 'I met them and saw the licence'}
        </Button>
        <a class="button" href={routeHash({ page: 'people' })}>
          Not now
        </a>
      </div>
    </>
  )
}

/** Opened by scanning what an operator's app shows: added at once to the request in this browser. */
export function Endorsed({ text }: { text: string }) {
  const { certificates } = useModel()
  const act = useAct()
  const unreadable = useSignal(false)
  useEffect(() => {
    const endorsement = readEndorsement(text)
    if (endorsement === null) {
      unreadable.value = true
      return
    }
    void act.run(() => certificates.addEndorsement(endorsement)).then((worked) => {
      if (worked) replace({ page: 'become', text: null })
    })
  }, [text])
  const problem = unreadable.value ? 'A part of it is missing. Scan the operator’s code once more, or paste its text where your request is.' : act.problem
  return (
    <div class="page become">
      <PageTitle>An operator’s word for you</PageTitle>
      {problem === null ? (
        <p class="lead">Adding it to your request.</p>
      ) : (
        <Notice kind="danger" role="status">
          <p>It was not added</p>
          <p>{problem}</p>
        </Notice>
      )}
      <p>
        <a href={routeHash({ page: 'become', text: null })}>Your request</a>
      </p>
    </div>
  )
}
