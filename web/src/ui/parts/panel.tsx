/** A titled part of a page: a bordered panel with a label like the engraving on a front panel. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import './panel.css'

export function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  const id = useId()
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 class="engraved" id={id}>
        {title}
      </h2>
      {children}
    </section>
  )
}
