/** What was said, like a logbook. It follows the newest line only while the reader is there. */
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ConversationView, Entry, TextEntry } from '../../model'
import { clock, utcClock } from '../format'
import { now } from '../now'
import { Button } from '../parts/button'
import { FileLine } from './file-line'
import './log.css'

/** Closer to the end than this counts as being there. */
const nearEnd = 48

export function Log({ conversation }: { conversation: ConversationView }) {
  const { entries, peer, phase } = conversation
  const box = useRef<HTMLElement>(null)
  const atEnd = useRef(true)
  const below = useSignal(false)
  const last = entries.at(-1)

  const toEnd = () => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }

  useLayoutEffect(() => {
    if (last === undefined) return
    if (atEnd.current || last.mine) toEnd()
    else below.value = true
  }, [last?.id, below])
  useFollowing(box, atEnd, toEnd)

  return (
    <div class="log-frame">
      <section
        class="log"
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus
        tabIndex={0}
        aria-label={`Conversation with ${peer.label}`}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          atEnd.current = scrollHeight - scrollTop - clientHeight < nearEnd
          if (atEnd.current) below.value = false
        }}
      >
        {entries.length === 0 && <Beginning label={peer.label} phase={phase} />}
        <ol class="log-entries">
          {entries.map((entry) => (
            <li key={entry.id} class={entry.mine ? 'entry entry-mine' : 'entry'}>
              <Line entry={entry} conversation={conversation} />
            </li>
          ))}
        </ol>
      </section>
      {below.value && (
        <div class="log-below">
          <Button onClick={toEnd}>New below</Button>
        </div>
      )}
      <Announcer entries={entries} label={peer.label} />
    </div>
  )
}

/** Keeps the end in view when the box itself changes: a phone's keyboard opens, a file line grows. */
function useFollowing(box: { current: HTMLElement | null }, atEnd: { current: boolean }, toEnd: () => void): void {
  const follow = useRef(toEnd)
  follow.current = toEnd
  useLayoutEffect(() => {
    if (box.current === null) return
    const observer = new ResizeObserver(() => {
      if (atEnd.current) follow.current()
    })
    observer.observe(box.current)
    if (box.current.lastElementChild !== null) observer.observe(box.current.lastElementChild)
    return () => observer.disconnect()
  }, [box, atEnd])
}

function Beginning({ label, phase }: { label: string; phase: ConversationView['phase'] }) {
  if (phase === 'failed' || phase === 'ended') return <p class="log-beginning">Nothing was said.</p>
  return (
    <p class="log-beginning">
      {phase === 'connected'
        ? `Write to ${label}, or send a file: attach it, drop it here or paste it.`
        : `You can write already. It is sent as soon as ${label} is connected.`}
    </p>
  )
}

function Line({ entry, conversation }: { entry: Entry; conversation: ConversationView }) {
  return (
    <>
      <p class="entry-meta">
        <span class={entry.mine || !conversation.peer.licensed ? 'entry-who' : 'entry-who entry-call'}>
          {entry.mine ? 'You' : conversation.peer.label}
        </span>{' '}
        <Time at={entry.at} />
        {entry.kind === 'text' && entry.mine && <span class={`entry-state entry-${entry.state}`}>{delivery[entry.state]}</span>}
      </p>
      {entry.kind === 'text' ? <p class="entry-text">{entry.text}</p> : <FileLine file={entry} peer={conversation.peer} />}
    </>
  )
}

const delivery: Record<TextEntry['state'], string> = { sending: 'sending', delivered: 'delivered', failed: 'not delivered' }

function Time({ at }: { at: number }) {
  const utc = utcClock(at)
  return (
    <time dateTime={new Date(at).toISOString()}>
      {clock(at, now.value)}
      {utc !== null && ` (${utc})`}
    </time>
  )
}

/** Speaks the newest entry of theirs, and not the whole log with its moving figures. */
function Announcer({ entries, label }: { entries: readonly Entry[]; label: string }) {
  // What was there when the page opened is read by going there.
  const seen = useRef(new Set(entries.map(({ id }) => id)))
  const fresh = entries.filter(({ id, mine }) => !mine && !seen.current.has(id)).at(-1)
  return (
    <p class="visually-hidden" role="status">
      {fresh !== undefined && `${label}: ${fresh.kind === 'text' ? fresh.text : `offers the file ${fresh.name}`}`}
    </p>
  )
}
