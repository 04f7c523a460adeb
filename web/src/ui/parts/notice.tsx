/** What happened, why, and one thing to do. */
import type { ComponentChildren } from 'preact'
import './notice.css'

interface NoticeProps {
  readonly kind?: 'plain' | 'warn' | 'danger'
  /** `alert` interrupts a screen reader: for what answers a person's own act, and nothing else. */
  readonly role?: 'alert' | 'status'
  readonly children: ComponentChildren
}

export function Notice({ kind = 'plain', role, children }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} {...(role === undefined ? {} : { role })}>
      {children}
    </div>
  )
}
