/** The line to write on. Enter sends, Shift and Enter begins a new line. */
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { useModel } from '../context'
import { Icon } from '../parts/icons'
import './composer.css'

/** Beyond this many lines the field scrolls. */
const tallest = 6

export function Composer({ peerId, label }: { peerId: string; label: string }) {
  const model = useModel()
  const text = useSignal('')
  const files = useRef<HTMLInputElement>(null)

  const sendFiles = (chosen: FileList | null | undefined) => {
    if (chosen && chosen.length > 0) model.sendFiles(peerId, [...chosen])
  }
  const send = () => {
    const written = text.value.trim()
    if (written === '') return
    model.sendText(peerId, written)
    text.value = ''
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          sendFiles(event.currentTarget.files)
          // So that the same file can be chosen again.
          event.currentTarget.value = ''
        }}
      />
      <button type="button" class="button composer-button" onClick={() => files.current?.click()}>
        <Icon name="attach" />
        <span>File</span>
      </button>
      <textarea
        class="input composer-text"
        aria-label={`Message to ${label}`}
        placeholder="Message"
        enterkeyhint="send"
        rows={Math.min(tallest, text.value.split('\n').length)}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
        }}
        onKeyDown={(event) => {
          // While an input method composes a character, Enter belongs to it.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          send()
        }}
        onPaste={(event) => {
          if (!event.clipboardData?.files.length) return
          event.preventDefault()
          sendFiles(event.clipboardData.files)
        }}
      />
      <button type="submit" class="button button-main composer-button">
        <Icon name="send" />
        <span>Send</span>
      </button>
    </form>
  )
}
