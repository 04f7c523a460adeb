/** A page outside of the tabs: one column, one question. */
import type { ComponentChildren } from 'preact'
import { ConnectionBanner } from './connection'
import { PageTitle } from './page-title'
import './page.css'

export function Page({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <>
      <ConnectionBanner />
      <main class="page">
        <PageTitle>{title}</PageTitle>
        {children}
      </main>
    </>
  )
}
