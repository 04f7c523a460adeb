/** A guest's one question: has somebody called me? The place is always there, so nothing moves when a call comes. */
import { useModel } from '../context'
import { Button } from '../parts/button'
import { StateLine } from '../parts/state'
import { go } from '../route'
import { canWrite } from '../words'
import './call-slot.css'

export function CallSlot() {
  const model = useModel()
  const { phase, guestCalls } = model.session.value
  const rights = guestCalls ? 'You can read, answer calls, and call other guests.' : 'You can read and answer calls.'
  const calls = [...model.conversations.value.values()].filter(canWrite)
  // The newest call that waits to be read, else the newest at all.
  const call = calls.filter(({ unread }) => unread > 0).at(-1) ?? calls.at(-1)

  return (
    <div class="call-slot" role="status">
      {call === undefined ? (
        <>
          <p class="call-slot-words">
            {phase === 'connected' ? `You are connected as a guest. ${rights}` : 'Guests can read and answer calls.'}
          </p>
          <p>{phase === 'connected' ? 'Nobody has called you yet. Leave this page open.' : 'They reach you once there is a connection.'}</p>
        </>
      ) : (
        <>
          <StateLine state={{ lamp: 'on', words: `${call.peer.label} called you` }} since={call.since} />
          <Button kind="main" onClick={() => go({ page: 'conversation', peerId: call.peer.id })}>
            Open the conversation
          </Button>
        </>
      )}
    </div>
  )
}
