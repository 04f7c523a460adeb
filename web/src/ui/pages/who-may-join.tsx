/** The owner's decision whether people on this network may join; says first whom closing sends away. */
import { useSignal } from '@preact/signals'
import { useModel } from '../context'
import { count } from '../format'
import { Button } from '../parts/button'
import { Notice } from '../parts/notice'
import { Panel } from '../parts/panel'
import { sentence } from '../words'

export function WhoMayJoin() {
  const model = useModel()
  const asking = useSignal(false)
  const working = useSignal(false)
  const problem = useSignal<string | null>(null)
  const open = model.server.value.state === 'active'
  const here = model.people.value.length

  const decide = async (wanted: boolean) => {
    asking.value = false
    problem.value = null
    working.value = true
    try {
      await model.setOpenToNetwork(wanted)
    } catch (failure) {
      problem.value = sentence(failure, 'The server did not do it. Try again.')
    }
    working.value = false
  }

  return (
    <Panel title="Who may join">
      {open ? (
        <p>This server is open: everybody on this network can join as a guest.</p>
      ) : (
        <p>This server is closed: only this machine can use it.</p>
      )}
      {asking.value ? (
        <Notice kind="warn" role="alert">
          <p>{count(here, 'person is', 'people are')} here. Those on other devices lose the server; conversations that run go on.</p>
          <div class="buttons">
            <Button kind="danger" onClick={() => void decide(false)}>
              Close it to the network
            </Button>
            <Button
              onClick={() => {
                asking.value = false
              }}
            >
              Leave it open
            </Button>
          </div>
        </Notice>
      ) : (
        <div class="buttons">
          {open ? (
            <Button
              disabled={working.value}
              onClick={() => {
                if (here > 0) asking.value = true
                else void decide(false)
              }}
            >
              Keep it to this machine
            </Button>
          ) : (
            <Button kind="main" disabled={working.value} onClick={() => void decide(true)}>
              Let people on this network join
            </Button>
          )}
        </div>
      )}
      {problem.value !== null && (
        <Notice kind="danger" role="alert">
          <p>{problem.value}</p>
        </Notice>
      )}
    </Panel>
  )
}
