/** One conversation: who, by which way, what was said, and the line to write on. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ConversationView, Person } from '../../model'
import { useModel } from '../context'
import { clock } from '../format'
import { now } from '../now'
import { Button } from '../parts/button'
import { Call } from '../parts/call'
import { Icon } from '../parts/icons'
import { Notice } from '../parts/notice'
import { StateLine } from '../parts/state'
import { routeHash } from '../route'
import { callState, canWrite, mayCall, personKind, serverName } from '../words'
import { Composer } from './composer'
import { HangUp } from './hang-up'
import { Log } from './log'
import { Proof } from './proof'
import './conversation.css'

export function Conversation({ peerId }: { peerId: string }) {
  const model = useModel()
  const conversation = model.conversations.value.get(peerId)
  const person = conversation?.peer ?? model.people.value.find(({ id }) => id === peerId)
  const dropping = useSignal(false)
  useReading(peerId)

  if (person === undefined) return <NobodyThere />
  if (conversation === undefined) return <NotCalled person={person} />

  const writable = canWrite(conversation)
  return (
    <section
      class={dropping.value && writable ? 'talk talk-dropping' : 'talk'}
      aria-labelledby="talk-title"
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return
        event.preventDefault()
        dropping.value = true
      }}
      onDragLeave={(event) => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) dropping.value = false
      }}
      onDrop={(event) => {
        // Also when nothing can be sent: otherwise the browser would leave the page to show the file.
        event.preventDefault()
        dropping.value = false
        const files = [...(event.dataTransfer?.files ?? [])]
        if (writable && files.length > 0) model.sendFiles(peerId, files)
      }}
    >
      <Header person={person} conversation={conversation} />
      <Log conversation={conversation} />
      {writable ? <Composer peerId={peerId} label={person.label} /> : <Over conversation={conversation} />}
      {dropping.value && writable && <p class="talk-drop">Drop to send to {person.label}</p>}
    </section>
  )
}

function Header({ person, conversation }: { person: Person; conversation: ConversationView | undefined }) {
  return (
    <header class="talk-header">
      <a class="talk-back" href={routeHash({ page: 'people' })}>
        <Icon name="back" />
        <span>People</span>
      </a>
      <h1 class="talk-who" id="talk-title" tabIndex={-1}>
        <Call label={person.label} plain={!person.licensed} />
      </h1>
      {conversation !== undefined && canWrite(conversation) && <HangUp conversation={conversation} />}
      {conversation?.proof ? <Proof proof={conversation.proof} /> : <Kind person={person} />}
      {conversation !== undefined && (
        <div class="talk-state" role="status">
          <StateLine state={callState(conversation)} since={conversation.since} />
          {conversation.phase === 'connected' && conversation.path !== null && (
            <p class="talk-path">Path: {conversation.path}. Nothing passes through the server.</p>
          )}
        </div>
      )}
      {conversation?.notice && (
        <div class="talk-notice">
          <Notice kind="warn" role="status">
            <p>
              {conversation.notice.words} <span class="state-since">{clock(conversation.notice.at, now.value)}</span>
            </p>
          </Notice>
        </div>
      )}
    </header>
  )
}

function Kind({ person }: { person: Person }) {
  const server = useModel().server.value
  if (!person.licensed) return <p class="talk-kind">{personKind(person)}</p>
  const words = [personKind(person), person.licenceClass].filter(Boolean).join(', ')
  return (
    <details class="talk-kind">
      <summary>
        {person.verified && <Icon name="verified" />}
        {words}
      </summary>
      <p>
        {person.verified
          ? `${serverName(server)} trusts the certificate of ${person.callsign}, and saw them prove that they hold its key.`
          : `${serverName(server)} trusts nobody who vouches for ${person.callsign}. It may be them, or not: ask something only they know.`}
      </p>
    </details>
  )
}

/** After the end: what happened, and one thing to do. */
function Over({ conversation }: { conversation: ConversationView }) {
  const model = useModel()
  const { peer, present, reason } = conversation
  const callable = mayCall(model.session.value, peer)
  return (
    <div class="talk-over">
      {reason !== null && <p>{reason}</p>}
      {conversation.phase === 'failed' && (
        <p>
          <a href={routeHash({ page: 'diagnosis', after: 'call' })}>Find out what is in the way</a>
        </p>
      )}
      {!present && <p>{peer.label} is not here any more. This opens again when they come back.</p>}
      {present && callable && (
        <Button kind="main" onClick={() => model.call(peer.id)}>
          Call {peer.label} again
        </Button>
      )}
      {present && !callable && (
        <p>
          {peer.licensed ? `${peer.label} can call you again: leave this page open. ` : ''}
          <a href={routeHash({ page: 'licence' })}>Why guests do not start calls</a>
        </p>
      )}
    </div>
  )
}

/** Opened by address or after a reload: to call somebody is the person's own decision. */
function NotCalled({ person }: { person: Person }) {
  const model = useModel()
  return (
    <section class="talk" aria-labelledby="talk-title">
      <Header person={person} conversation={undefined} />
      <div class="talk-over">
        {mayCall(model.session.value, person) ? (
          <Button kind="main" onClick={() => model.call(person.id)}>
            Call {person.label}
          </Button>
        ) : (
          <p>
            You are here as a guest: {person.licensed ? `${person.label} can call you. ` : 'only operators start calls. '}
            <a href={routeHash({ page: 'licence' })}>Why guests do not start calls</a>
          </p>
        )}
      </div>
    </section>
  )
}

function NobodyThere() {
  return (
    <section class="talk" aria-labelledby="talk-title">
      <header class="talk-header">
        <a class="talk-back" href={routeHash({ page: 'people' })}>
          <Icon name="back" />
          <span>People</span>
        </a>
        <h1 id="talk-title" class="talk-nobody" tabIndex={-1}>
          Nobody by this address is here
        </h1>
      </header>
      <div class="talk-over">
        <p>They may have left, or opened the page anew. Look for them in the list of people.</p>
      </div>
    </section>
  )
}

/** What is on screen counts as read, but not in a tab that nobody looks at. */
function useReading(peerId: string): void {
  const model = useModel()
  const visible = useSignal(!document.hidden)
  useEffect(() => {
    const look = () => {
      visible.value = !document.hidden
    }
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [visible])
  useSignalEffect(() => {
    const unread = model.conversations.value.get(peerId)?.unread ?? 0
    if (visible.value && unread > 0) model.markRead(peerId)
  })
}
