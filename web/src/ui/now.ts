/** This device's clock as a signal. It ticks only for what counts down; states say "since", which stands still. */
import { signal, useSignalEffect } from '@preact/signals'

export const now = signal(Date.now())

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
