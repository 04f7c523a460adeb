/** A callsign, set large in a face that tells 0 from O; and the display that holds the server's own. */
import type { ComponentChildren } from 'preact'
import './call.css'

/** `label` is a callsign or `Guest 3F2A`; only callsigns get the callsign's face. */
export function Call({ label, plain = false }: { label: string; plain?: boolean }) {
  return <span class={plain ? 'call call-plain' : 'call'}>{label}</span>
}

/** The front panel's display. */
export function Display({ children }: { children: ComponentChildren }) {
  return <div class="display">{children}</div>
}
