/** An answer that is awaited, has come, or did not come. What was shown stays while a newer one is awaited. */
import type { ComponentChildren } from 'preact'
import type { Asked } from '../asked'
import { Button } from './button'
import { Notice } from './notice'
import { StateLine } from './state'

interface AnswerProps<T> {
  readonly asked: Asked<T>
  /** What is awaited: `the list`. */
  readonly what: string
  readonly children: (value: T) => ComponentChildren
}

export function Answer<T>({ asked, what, children }: AnswerProps<T>) {
  const { value, asking, problem, again } = asked
  return (
    <>
      {problem !== null && <Failed problem={problem} again={again} />}
      {value === null && asking && <StateLine state={{ lamp: 'busy', words: `Asking the server for ${what}` }} />}
      {value !== null && children(value)}
    </>
  )
}

export function Failed({ problem, again }: { problem: string; again: () => void }) {
  return (
    <Notice kind="danger" role="status">
      <p>{problem}</p>
      <div class="buttons">
        <Button onClick={again}>Try again</Button>
      </div>
    </Notice>
  )
}
