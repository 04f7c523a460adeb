/** Text to copy by a touch, or to select by hand. */
import { useRef } from 'preact/hooks'
import { useSignal } from '@preact/signals'
import { Button } from './button'
import './copyable.css'

export function Copyable({ text, what }: { text: string; what: string }) {
  const code = useRef<HTMLElement>(null)
  const done = useSignal<'copied' | 'selected' | null>(null)

  const copy = async () => {
    if (await toClipboard(text)) {
      done.value = 'copied'
    } else {
      // The next best thing: the text is selected, ready for the person's own copy command.
      if (code.current !== null) getSelection()?.selectAllChildren(code.current)
      done.value = 'selected'
    }
  }

  return (
    <div class="copyable">
      <code ref={code}>{text}</code>
      <Button label={`Copy ${what}`} onClick={() => void copy()}>
        {done.value === null ? 'Copy' : done.value === 'copied' ? 'Copied' : 'Selected'}
      </Button>
      <span class="visually-hidden" role="status">
        {done.value === 'copied' && 'Copied'}
        {done.value === 'selected' && 'Selected. Copy it with your device’s own copy command'}
      </span>
    </div>
  )
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    // Absent on plain http: browsers offer it to secure pages only.
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
