/** What a page asks of the engine: an answer that takes its time, and an act that may fail. */
import { useSignal } from '@preact/signals'
import { useCallback, useEffect, useRef } from 'preact/hooks'
import { sentence } from './words'

export interface Asked<T> {
  /** The last answer; it stays while a newer one is awaited. */
  readonly value: T | null
  readonly asking: boolean
  readonly problem: string | null
  readonly again: () => void
}

/** Asks when the page opens and whenever one of `about` changes. The newest question counts. */
export function useAsked<T>(ask: () => Promise<T>, about: readonly unknown[]): Asked<T> {
  const value = useSignal<T | null>(null)
  const asking = useSignal(true)
  const problem = useSignal<string | null>(null)
  const turn = useRef(0)

  const again = useCallback(() => {
    const mine = ++turn.current
    asking.value = true
    problem.value = null
    ask().then(
      (answer) => {
        if (mine !== turn.current) return
        value.value = answer
        asking.value = false
      },
      (failure) => {
        if (mine !== turn.current) return
        problem.value = sentence(failure, 'The server did not answer. Try again.')
        asking.value = false
      },
    )
  }, about)

  useEffect(() => {
    again()
    return () => {
      turn.current++
    }
  }, about)
  return { value: value.value, asking: asking.value, problem: problem.value, again }
}

export interface Act {
  readonly busy: boolean
  readonly problem: string | null
  /** Does nothing while an earlier run goes on. Resolves to whether it worked. */
  readonly run: (act: () => Promise<void>) => Promise<boolean>
  readonly complain: (problem: string | null) => void
}

export function useAct(otherwise = 'The server did not do it. Try again.'): Act {
  const busy = useSignal(false)
  const problem = useSignal<string | null>(null)
  return {
    busy: busy.value,
    problem: problem.value,
    run: async (act) => {
      if (busy.peek()) return false
      busy.value = true
      problem.value = null
      try {
        await act()
        return true
      } catch (failure) {
        problem.value = sentence(failure, otherwise)
        return false
      } finally {
        busy.value = false
      }
    },
    complain: (words) => {
      problem.value = words
    },
  }
}
