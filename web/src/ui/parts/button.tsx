import type { ComponentChildren } from 'preact'
import './button.css'

interface ButtonProps {
  readonly kind?: 'main' | 'plain' | 'danger'
  readonly type?: 'button' | 'submit'
  readonly disabled?: boolean
  readonly label?: string
  readonly onClick?: () => void
  readonly children: ComponentChildren
}

/** `label` is for when the words alone do not say which: `Cancel photo.jpg`. */
export function Button({ kind = 'plain', type = 'button', disabled = false, label, onClick, children }: ButtonProps) {
  return (
    <button
      class={`button button-${kind}`}
      type={type}
      disabled={disabled}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(onClick === undefined ? {} : { onClick })}
    >
      {children}
    </button>
  )
}
