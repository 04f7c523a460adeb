/** The callsign typed by hand: the last step before what cannot be taken back, or hits many. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Button } from './button'
import { Field } from './field'
import './confirm.css'

interface ConfirmProps {
  readonly callsign: string
  /** The button: `Withdraw the key`. */
  readonly words: string
  readonly working: string
  readonly cancel: string
  readonly busy: boolean
  readonly onConfirm: () => void
  readonly onCancel: () => void
  /** Further fields, above the typed callsign. */
  readonly children?: ComponentChildren
}

export function Confirm({ callsign, words, working, cancel, busy, onConfirm, onCancel, children }: ConfirmProps) {
  const problem = useSignal<string | undefined>(undefined)
  const confirm = (typed: string) => {
    if (typed.trim().toUpperCase() !== callsign.toUpperCase()) {
      problem.value = `Type ${callsign} to confirm.`
      return
    }
    problem.value = undefined
    onConfirm()
  }
  return (
    <form
      class="confirm"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!busy) confirm(String(new FormData(event.currentTarget).get('callsign') ?? ''))
      }}
    >
      {children}
      <Field label={`Type ${callsign} to confirm`} problem={problem.value}>
        {(input) => <input {...input} class="input input-call" name="callsign" autocomplete="off" autocapitalize="characters" spellcheck={false} />}
      </Field>
      <div class="buttons">
        <Button kind="danger" type="submit" disabled={busy}>
          {busy ? working : words}
        </Button>
        <Button onClick={onCancel}>{cancel}</Button>
      </div>
    </form>
  )
}
