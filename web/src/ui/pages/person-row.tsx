/** One person of the list. It is a link only where a tap leads somewhere. */
import type { ConversationView, Person } from '../../model'
import { useModel } from '../context'
import { clock } from '../format'
import { now } from '../now'
import { Call } from '../parts/call'
import { LampIcon } from '../parts/state'
import { routeHash } from '../route'
import { callState, mayCall, personKind } from '../words'
import './person-row.css'

export function PersonRow({ person, open }: { person: Person; open: boolean }) {
  const model = useModel()
  const conversation = model.conversations.value.get(person.id)

  if (conversation === undefined && !mayCall(model.session.value, person)) {
    return (
      <li class="row">
        <Content person={person} conversation={undefined} mark={person.licensed ? 'can call you' : null} />
      </li>
    )
  }
  return (
    <li>
      <a
        class={open ? 'row row-open' : 'row'}
        href={routeHash({ page: 'conversation', peerId: person.id })}
        {...(open ? { 'aria-current': 'true' as const } : {})}
        onClick={() => {
          // To open somebody is to call them, once. Calling again is a button of its own.
          if (conversation === undefined) model.call(person.id)
        }}
      >
        <Content person={person} conversation={conversation} mark={null} />
      </a>
    </li>
  )
}

interface ContentProps {
  readonly person: Person
  readonly conversation: ConversationView | undefined
  readonly mark: string | null
}

function Content({ person, conversation, mark }: ContentProps) {
  return (
    <>
      <span class="row-who">
        <Call label={person.label} plain={!person.licensed} />
        <span class="row-kind">{personKind(person)}</span>
      </span>{' '}
      <span class="row-state">
        {conversation === undefined ? <Arrival person={person} mark={mark} /> : <Talk conversation={conversation} />}
      </span>
    </>
  )
}

function Arrival({ person, mark }: { person: Person; mark: string | null }) {
  return (
    <>
      {person.fresh ? <span class="row-mark">just came</span> : <span>{mark ?? ''}</span>}{' '}
      <span class="row-since">since {clock(person.since, now.value)}</span>
    </>
  )
}

const shortPhase = { connecting: 'connecting', connected: 'connected', interrupted: 'way lost', failed: 'no connection', ended: 'ended' }

function Talk({ conversation }: { conversation: ConversationView }) {
  return (
    <>
      {conversation.unread > 0 ? <span class="row-mark row-unread">{conversation.unread} unread</span> : <span />}{' '}
      <span class="row-since">
        <LampIcon lamp={callState(conversation).lamp} /> {shortPhase[conversation.phase]}
      </span>
    </>
  )
}
