/** A QR code of a short text, drawn here: what stands in it goes to nobody. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import './qr.css'

/** `what` says what the code holds, for those who cannot see it. */
export function QrOf({ text, what }: { text: string; what: string }) {
  const drawing = useSignal<{ readonly size: number; readonly path: string } | null>(null)
  useEffect(() => {
    let current = true
    // Few people ever see one, so the drawing of it is loaded with the first.
    import('uqr').then(
      ({ encode }) => {
        const { data, size } = encode(text, { ecc: 'L', border: 2 })
        const dots = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
        if (current) drawing.value = { size, path: dots.join('') }
      },
      () => {
        // Without it the text beside it is enough.
      },
    )
    return () => {
      current = false
    }
  }, [text])
  const drawn = drawing.value
  return (
    <div class="qr">
      {drawn === null ? (
        <div class="qr-room" />
      ) : (
        <svg class="qr-room" viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={`QR code: ${what}`} shape-rendering="crispEdges">
          <path d={drawn.path} />
        </svg>
      )}
    </div>
  )
}
