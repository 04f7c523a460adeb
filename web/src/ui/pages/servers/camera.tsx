/** The camera, looking for a code until it finds one or is stopped. Nothing it sees leaves the page. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Button } from '../../parts/button'
import { Notice } from '../../parts/notice'
import { StateLine } from '../../parts/state'
import { Decoder } from './decode'

/** Often enough for a hand that holds still for a moment, seldom enough for an old phone. */
const LOOK_EVERY = 200

export function Camera({ read, stop }: { read: (text: string) => void; stop: () => void }) {
  const video = useRef<HTMLVideoElement>(null)
  const problem = useSignal<string | null>(null)

  useEffect(() => {
    let stream: MediaStream | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    let stopped = false
    const decoder = new Decoder()

    const look = async () => {
      const screen = video.current
      if (stopped || screen === null) return
      const text = screen.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await decoder.read(screen, screen.videoWidth, screen.videoHeight) : null
      if (stopped) return
      if (text !== null) read(text)
      timer = setTimeout(() => void look(), LOOK_EVERY)
    }
    const end = () => {
      for (const track of stream?.getTracks() ?? []) track.stop()
    }
    const begin = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
      } catch (failure) {
        problem.value = why(failure)
        return
      }
      if (stopped || video.current === null) return end()
      video.current.srcObject = stream
      await video.current.play().catch(() => undefined)
      await look()
    }
    void begin()
    return () => {
      stopped = true
      clearTimeout(timer)
      end()
    }
  }, [])

  return (
    <div class="scan">
      {problem.value === null ? (
        <>
          <video ref={video} muted playsInline aria-label="What the camera sees" />
          <StateLine state={{ lamp: 'busy', words: 'Looking for a code. Hold it so that all of it is seen' }} />
        </>
      ) : (
        <Notice kind="warn" role="alert">
          <p>{problem.value}</p>
        </Notice>
      )}
      <div class="buttons">
        <Button onClick={stop}>{problem.value === null ? 'Stop the camera' : 'Close'}</Button>
      </div>
    </div>
  )
}

function why(failure: unknown): string {
  const name = failure instanceof DOMException ? failure.name : ''
  if (name === 'NotAllowedError') return 'The camera was not allowed for this page. Its settings in the browser can change that; or take a photo instead.'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'This device has no camera that the browser can use. Take a photo with another one, or type the address.'
  return 'The camera does not start; another program may be using it. Close that and try again, or take a photo instead.'
}
