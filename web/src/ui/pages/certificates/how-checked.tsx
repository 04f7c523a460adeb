/** How a licence was checked by whoever vouches. */
import type { Signal } from '@preact/signals'
import type { Checked } from '../../../model-certificates'
import { Choice } from '../../parts/field'

export function HowChecked({ method, callsign }: { method: Signal<Checked['method']>; callsign: string }) {
  const choice = (name: Checked['method'], label: string, note: string) => (
    <Choice
      type="radio"
      name="method"
      label={label}
      checked={method.value === name}
      onChoose={() => {
        method.value = name
      }}
    >
      {note}
    </Choice>
  )
  return (
    <fieldset>
      <legend class="legend">How did you check?</legend>
      {choice('in-person', 'In person', `I met ${callsign} and saw the licence.`)}
      {choice('document', 'By a document', 'I saw a copy of the licence, or found it in an official list.')}
    </fieldset>
  )
}
