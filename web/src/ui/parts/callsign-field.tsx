/** Where people type their own callsign: in capitals, and with a second look at what is rarely one. */
import type { Signal } from '@preact/signals'
import { isUsualCallsign } from '../callsign'
import { Field } from './field'

interface CallsignFieldProps {
  readonly callsign: Signal<string>
  readonly hint?: string | undefined
  readonly problem: string | undefined
  readonly wide?: boolean
}

export function CallsignField({ callsign, ...field }: CallsignFieldProps) {
  const odd = callsign.value.length > 2 && !isUsualCallsign(callsign.value)
  const warning = odd ? `${callsign.value} is an unusual callsign. If it is yours, go on.` : undefined
  return (
    <Field {...field} label="Your callsign" warning={warning}>
      {(input) => (
        <input
          {...input}
          class="input input-call"
          name="callsign"
          value={callsign.value}
          maxLength={20}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          onInput={(event) => {
            callsign.value = event.currentTarget.value.toUpperCase()
          }}
        />
      )}
    </Field>
  )
}
