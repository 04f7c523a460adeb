/**
 * This device's clock as a signal. It ticks by the second only for what counts down; states say "since",
 * which stands still, and need it only to notice that a new day has begun.
 */
import { signal, useSignalEffect } from '@preact/signals'

export const now = signal(Date.now())

setInterval(() => {
  now.value = Date.now()
}, 60_000)

/** Keeps `now` ticking while `wanted` says so. */
export function useTicking(wanted: () => boolean): void {
  useSignalEffect(() => {
    if (!wanted()) return
    now.value = Date.now()
    const timer = setInterval(() => {
      now.value = Date.now()
    }, 1000)
    return () => clearInterval(timer)
  })
}
