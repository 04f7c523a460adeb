/**
 * Home: who is here. On a desktop the list stays at the left and the conversation, or the home panels,
 * stand beside it; on a phone a conversation takes the whole screen.
 */
import { Conversation } from './conversation'
import { Home } from './home'
import { PeopleList } from './people-list'
import './people.css'

export function People({ peerId }: { peerId: string | null }) {
  return (
    <div class={peerId === null ? 'people' : 'people people-talking'}>
      <div class="people-list">
        <PeopleList openId={peerId} />
      </div>
      <div class="people-detail">{peerId === null ? <Home /> : <Conversation key={peerId} peerId={peerId} />}</div>
    </div>
  )
}
