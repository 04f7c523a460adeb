/** The owner's decision whether guests may call each other, and what it never covers. */
import { useAct } from '../asked'
import { useModel } from '../context'
import { Button } from '../parts/button'
import { Notice } from '../parts/notice'
import { Panel } from '../parts/panel'

export function WhatGuestsMay() {
  const model = useModel()
  const act = useAct()
  const { guestCalls } = model.server.value
  const decide = (allowed: boolean) => void act.run(() => model.setGuestCalls(allowed))

  return (
    <Panel title="What guests may do">
      {guestCalls ? (
        <p>
          Guests may call each other, without a licence and without a proven name. Operators they cannot call, and across amateur
          frequencies nobody calls anybody.
        </p>
      ) : (
        <p>Guests read, and answer when an operator calls. They start no calls.</p>
      )}
      <div class="buttons">
        {guestCalls ? (
          <Button disabled={act.busy} onClick={() => decide(false)}>
            Guests only answer operators
          </Button>
        ) : (
          <Button disabled={act.busy} onClick={() => decide(true)}>
            Let guests call each other
          </Button>
        )}
      </div>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
    </Panel>
  )
}
