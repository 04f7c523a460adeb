/** A state: its words, a lamp whose shape repeats them, and since when. */
import type { JSX } from 'preact'
import type { Lamp, State } from '../words'
import { now } from '../now'
import { clock } from '../format'
import './state.css'

const shapes: Record<Lamp, JSX.Element> = {
  on: <circle cx="8" cy="8" r="6" class="solid" />,
  busy: <circle cx="8" cy="8" r="5.5" class="dashes" />,
  lost: (
    <>
      <path d="M8 2.5a5.5 5.5 0 0 0 0 11Z" class="solid" />
      <path d="M8 2.5a5.5 5.5 0 0 1 0 11" />
    </>
  ),
  failed: <path d="M3 3l10 10M13 3L3 13" />,
  off: <circle cx="8" cy="8" r="5.5" />,
}

export function LampIcon({ lamp }: { lamp: Lamp }) {
  return (
    <svg class={`lamp lamp-${lamp}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {shapes[lamp]}
    </svg>
  )
}

export function StateLine({ state, since }: { state: State; since?: number }) {
  return (
    <p class={`state state-${state.lamp}`}>
      <LampIcon lamp={state.lamp} />
      <span>
        <span class="state-words">{state.words}</span>
        {since !== undefined && <Since at={since} />}
      </span>
    </p>
  )
}

function Since({ at }: { at: number }) {
  return (
    <>
      {' '}
      <span class="state-since">
        since <time dateTime={new Date(at).toISOString()}>{clock(at, now.value)}</time>
      </span>
    </>
  )
}
