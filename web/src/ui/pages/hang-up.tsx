/** Ends a call; asks first when that would stop files. */
import { useSignal } from '@preact/signals'
import type { ConversationView } from '../../model'
import { useModel } from '../context'
import { count } from '../format'
import { Button } from '../parts/button'

export function HangUp({ conversation }: { conversation: ConversationView }) {
  const model = useModel()
  const asking = useSignal(false)
  const { id, label } = conversation.peer
  const moving = movingFiles(conversation)

  if (asking.value && moving > 0) {
    return (
      <div class="talk-ask" role="alert">
        <p>{count(moving, 'file is', 'files are')} still moving. Hanging up stops that.</p>
        <div class="buttons">
          <Button kind="danger" onClick={() => model.hangUp(id)}>
            Hang up
          </Button>
          <Button
            onClick={() => {
              asking.value = false
            }}
          >
            Go on
          </Button>
        </div>
      </div>
    )
  }
  return (
    <Button
      label={`Hang up, ${label}`}
      onClick={() => {
        if (moving > 0) asking.value = true
        else model.hangUp(id)
      }}
    >
      Hang up
    </Button>
  )
}

function movingFiles({ entries }: ConversationView): number {
  return entries.filter((entry) => entry.kind === 'file' && (entry.state === 'moving' || entry.state === 'checking')).length
}
