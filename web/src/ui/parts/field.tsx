/** A labelled input with a hint and, where needed, what is wrong with it, tied together for screen readers. */
import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import './field.css'

interface FieldProps {
  readonly label: string
  readonly hint?: string | undefined
  /** What keeps the form from going on. */
  readonly problem?: string | undefined
  /** Worth a second look, and no more. */
  readonly warning?: string | undefined
  readonly wide?: boolean
  readonly children: (input: { id: string; class: string; 'aria-describedby': string; 'aria-invalid': boolean }) => JSX.Element
}

export function Field({ label, hint, problem, warning, wide = false, children }: FieldProps) {
  const id = useId()
  const note = problem ?? warning ?? hint
  const kind = problem !== undefined ? 'problem' : warning !== undefined ? 'warning' : 'hint'
  return (
    <div class={wide ? 'field field-wide' : 'field'}>
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, class: 'input', 'aria-describedby': `${id}-note`, 'aria-invalid': problem !== undefined })}
      <p class={`field-note field-${kind}`} id={`${id}-note`}>
        {note}
      </p>
    </div>
  )
}

interface ChoiceProps {
  readonly type: 'radio' | 'checkbox'
  readonly name: string
  readonly checked: boolean
  readonly label: string
  readonly onChoose: (checked: boolean) => void
  readonly children?: ComponentChildren
}

/** A radio button or checkbox whose whole row is the target, with what it means below the label. */
export function Choice({ type, name, checked, label, onChoose, children }: ChoiceProps) {
  const id = useId()
  return (
    <div class="choice">
      <input
        type={type}
        id={id}
        name={name}
        checked={checked}
        aria-describedby={`${id}-note`}
        onChange={(event) => onChoose(event.currentTarget.checked)}
      />
      <label for={id}>
        <span class="choice-label">{label}</span>
        <span class="choice-note" id={`${id}-note`}>
          {children}
        </span>
      </label>
    </div>
  )
}
