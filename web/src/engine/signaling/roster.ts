/**
 * Who is here, in the order they came: a pure value.
 *
 * The server names sessions, and a session's name changes when its browser reconnects. People keep
 * theirs: somebody who comes back with the same proven key, or who told us their new name inside a
 * running call, stays the same person, so that conversations survive a server's restart.
 */
import type { Peer } from './messages'

export interface Attendee {
  /** The person's name within this page: the first session name we knew them by. */
  readonly id: string
  /** The session to send signals to. */
  readonly wire: string
  readonly peer: Peer
  readonly since: number
  /** Came while we watched, and was not already here when we did. */
  readonly arrived: boolean
}

export interface Roster {
  readonly present: readonly Attendee[]
  /** Those who left, the longest gone first. */
  readonly gone: readonly Attendee[]
  /** While pages of a new list arrive: who has been confirmed, and who was here before it. Session names. */
  readonly listing: { readonly confirmed: ReadonlySet<string>; readonly before: ReadonlySet<string> } | null
}

export const EMPTY_ROSTER: Roster = { present: [], gone: [], listing: null }

/** The most people that are listed; the server may be at a crowded place. */
export const MAX_PRESENT = 2_000
const MAX_GONE = 500

/** A new list begins: after registering, and after a change of net. */
export function listed(roster: Roster, peers: readonly Peer[], complete: boolean, now: number): Roster {
  const before = new Set(roster.present.map(({ wire }) => wire))
  return page({ ...roster, listing: { confirmed: new Set(), before } }, peers, complete, now)
}

/** The next page of that list. Whoever is on no page has left, or is there under another name. */
export function page(roster: Roster, peers: readonly Peer[], complete: boolean, now: number): Roster {
  let next = peers.reduce((after, peer) => add(after, peer, now, false), roster)
  if (!next.listing) return next
  const { before } = next.listing
  const confirmed = new Set([...next.listing.confirmed, ...peers.map((peer) => peer.id)])
  if (!complete) return { ...next, listing: { confirmed, before } }
  for (const one of next.present) {
    if (confirmed.has(one.wire)) continue
    const back = next.present.find(({ id, wire, peer }) => id === wire && !before.has(wire) && sameKey(peer, one.peer))
    next = back ? takenUp(next, one, back) : left(next, one.wire)
  }
  return { ...next, listing: null }
}

/** Their session had to begin anew, for the server was away: they are who they were, and where. */
function takenUp(roster: Roster, before: Attendee, back: Attendee): Roster {
  const attendee = { ...back, id: before.id }
  const present = roster.present.filter((one) => one !== back).map((one) => (one === before ? attendee : one))
  return { ...roster, present }
}

export function joined(roster: Roster, peer: Peer, now: number): Roster {
  const next = add(roster, peer, now, true)
  if (!next.listing) return next
  return { ...next, listing: { ...next.listing, confirmed: new Set([...next.listing.confirmed, peer.id]) } }
}

export function left(roster: Roster, wire: string): Roster {
  const leaver = byWire(roster, wire)
  if (!leaver) return roster
  return {
    ...roster,
    present: roster.present.filter((attendee) => attendee !== leaver),
    gone: [...roster.gone.filter(({ id }) => id !== leaver.id), leaver].slice(-MAX_GONE),
  }
}

/** What changed in a large net while the server gathered: whoever came is here, whoever left is not. */
export function changed(roster: Roster, came: readonly Peer[], wires: readonly string[], now: number): Roster {
  const without = wires.reduce(left, roster)
  return came.reduce((after, peer) => joined(after, peer, now), without)
}

/** The person `id` said, inside a running call, that their session is now `wire`. */
export function moved(roster: Roster, id: string, wire: string): Roster {
  const before = roster.present.find((attendee) => attendee.id === id) ?? roster.gone.find((attendee) => attendee.id === id)
  const stranger = byWire(roster, wire)
  if (!before || before.wire === wire) return roster
  // A proven key is not given up for a claim, and nobody takes over somebody we know otherwise.
  const peer = stranger?.peer ?? { ...before.peer, id: wire }
  if (stranger && (stranger.peer.keyId ?? null) !== (before.peer.keyId ?? null)) return roster
  const attendee: Attendee = { ...before, wire, peer }
  const others = (list: readonly Attendee[]) => list.filter((one) => one !== before && one !== stranger)
  return stranger
    ? { ...roster, present: [...others(roster.present), attendee], gone: others(roster.gone) }
    : { ...roster, present: others(roster.present), gone: [...others(roster.gone), attendee].slice(-MAX_GONE) }
}

export function byWire(roster: Roster, wire: string): Attendee | null {
  return roster.present.find((attendee) => attendee.wire === wire) ?? null
}

/** Also somebody who left: a call outlives its session. */
export function byId(roster: Roster, id: string): Attendee | null {
  return roster.present.find((one) => one.id === id) ?? roster.gone.findLast((one) => one.id === id) ?? null
}

function add(roster: Roster, peer: Peer, now: number, arrived: boolean): Roster {
  const here = byWire(roster, peer.id)
  if (here) {
    return { ...roster, present: roster.present.map((attendee) => (attendee === here ? { ...here, peer } : attendee)) }
  }
  if (roster.present.length >= MAX_PRESENT) return roster
  const known = roster.gone.findLast((gone) => gone.wire === peer.id || sameKey(gone.peer, peer))
  const attendee: Attendee = { id: known?.id ?? peer.id, wire: peer.id, peer, since: now, arrived }
  return {
    ...roster,
    present: [...roster.present, attendee],
    gone: known ? roster.gone.filter((gone) => gone !== known) : roster.gone,
  }
}

function sameKey(a: Peer, b: Peer): boolean {
  return a.verified && b.verified && typeof a.keyId === 'string' && a.keyId === b.keyId
}
