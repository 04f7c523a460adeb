/** Looks every few seconds, while the page is on screen, whether this device trusts the server by now. */
import { type ReadonlySignal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Model } from '../../model'

const BETWEEN_LOOKS = 3_000

export interface TrustWatch {
  /** The secure address that works here, once one does. */
  readonly url: ReadonlySignal<string | null>
  /** The file was fetched. */
  readonly downloaded: ReadonlySignal<boolean>
  /** The file was fetched, and a look after that found no trust. */
  readonly stillNot: ReadonlySignal<boolean>
  readonly download: () => void
}

export function useTrust(model: Model, wanted: boolean): TrustWatch {
  const url = useSignal<string | null>(null)
  const downloaded = useSignal(false)
  const stillNot = useSignal(false)

  useEffect(() => {
    if (!wanted) return
    let over = false
    let looking = false
    let timer: ReturnType<typeof setTimeout> | undefined

    const look = async () => {
      clearTimeout(timer)
      if (looking || document.visibilityState === 'hidden') return
      looking = true
      const afterDownload = downloaded.peek()
      const found = await model.probeSecure()
      looking = false
      if (over) return
      url.value = found
      if (found !== null) return
      if (afterDownload) stillNot.value = true
      timer = setTimeout(() => void look(), BETWEEN_LOOKS)
    }
    // Back from the settings: not a moment is lost.
    const lookNow = () => {
      if (url.peek() === null) void look()
    }
    void look()
    document.addEventListener('visibilitychange', lookNow)
    return () => {
      over = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', lookNow)
    }
  }, [model, wanted])

  return {
    url,
    downloaded,
    stillNot,
    download: () => {
      downloaded.value = true
    },
  }
}
