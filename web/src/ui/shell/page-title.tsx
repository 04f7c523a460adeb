/** A page's one h1; it can take the focus when the page opens. */
import type { ComponentChildren } from 'preact'
import './page.css'

export function PageTitle({ children }: { children: ComponentChildren }) {
  return (
    <h1 class="page-title" tabIndex={-1}>
      {children}
    </h1>
  )
}
