/**
 * The list of people as the pages see it, kept from the server's messages.
 *
 * A person's object changes only when something about them changes, so that lists are not drawn anew
 * for nothing. While the server is away the list stays as it was: most people come back with it.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { Person } from '../model'
import type { Incoming } from './signaling/messages'
import { type Attendee, byId, byWire, changed, EMPTY_ROSTER, joined, left, listed, MAX_PRESENT, moved, page, type Roster } from './signaling/roster'

const FRESH = 30_000

/** In a large crowd not everybody is named as they come and go; the list is read anew within this time. */
const READ_ANEW = { atLeast: 2_000, atMost: 10_000 }

export class People {
  readonly list: ReadonlySignal<readonly Person[]>
  readonly #list = signal<readonly Person[]>([])
  readonly #changed: () => void
  readonly #askPage: (cursor: string | null) => void
  #roster: Roster = EMPTY_ROSTER
  #owner: string | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #outdated: ReturnType<typeof setTimeout> | undefined
  /** The next page is the first of a new list. */
  #anew = false
  #persons = new WeakMap<Attendee, Person>()

  /** `askPage` asks the server for the rest of a long list, or from null for the first page. */
  constructor(askPage: (cursor: string | null) => void, changed: () => void) {
    this.list = this.#list
    this.#askPage = askPage
    this.#changed = changed
  }

  received(frame: Incoming): void {
    const now = Date.now()
    switch (frame.type) {
      case 'REGISTERED':
        this.#owner = frame.serverOwner ?? null
        this.#persons = new WeakMap()
        clearTimeout(this.#outdated)
        this.#outdated = undefined
        this.#anew = false
        return this.#listed(listed, frame.peers, frame.next ?? null, now)
      case 'PEER_LIST':
        return this.#listed(this.#first() ? listed : page, frame.peers, frame.next ?? null, now)
      case 'PEER_JOINED':
        return this.#become(joined(this.#roster, frame.peer, now))
      case 'PEER_LEFT':
        return this.#become(left(this.#roster, frame.peerId))
      case 'PEERS_CHANGED':
        if (frame.more) this.#readAnew()
        return this.#become(changed(this.#roster, frame.joined, frame.left, now))
    }
  }

  moved(id: string, session: string): void {
    this.#become(moved(this.#roster, id, session))
  }

  find(id: string): { person: Person; present: boolean } | null {
    const attendee = byId(this.#roster, id)
    return attendee && { person: this.#person(attendee), present: this.#roster.present.includes(attendee) }
  }

  findByWire(wire: string): Person | null {
    const attendee = byWire(this.#roster, wire)
    return attendee && this.#person(attendee)
  }

  /** The session to send signals to. */
  wireOf(id: string): string | null {
    return byId(this.#roster, id)?.wire ?? null
  }

  #listed(
    apply: typeof listed,
    peers: Extract<Incoming, { type: 'PEER_LIST' }>['peers'],
    next: string | null,
    now: number,
  ): void {
    const complete = next === null || this.#roster.present.length >= MAX_PRESENT
    this.#become(apply(this.#roster, peers, complete, now))
    if (next !== null && !complete) this.#askPage(next)
  }

  #first(): boolean {
    const first = this.#anew
    this.#anew = false
    return first
  }

  /** Reads the list from the start, but not at the same moment as everybody else. */
  #readAnew(): void {
    const { atLeast, atMost } = READ_ANEW
    this.#outdated ??= setTimeout(
      () => {
        this.#outdated = undefined
        this.#anew = true
        this.#askPage(null)
      },
      atLeast + Math.random() * (atMost - atLeast),
    )
  }

  #become(roster: Roster): void {
    if (roster === this.#roster) return
    this.#roster = roster
    this.#publish()
    this.#changed()
  }

  #publish(): void {
    const now = Date.now()
    this.#list.value = this.#roster.present.map((attendee) => this.#person(attendee))
    clearTimeout(this.#timer)
    const next = Math.min(...this.#roster.present.filter((one) => isFresh(one, now)).map((one) => one.since + FRESH - now))
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.#publish(), next)
  }

  #person(attendee: Attendee): Person {
    const fresh = isFresh(attendee, Date.now())
    const known = this.#persons.get(attendee)
    if (known && known.fresh === fresh) return known
    const { peer } = attendee
    const callsign = peer.callsign.slice(0, 32)
    const person: Person = {
      id: attendee.id,
      callsign,
      label: callsign === 'GUEST' ? `Guest ${attendee.id.slice(-4).toUpperCase()}` : callsign,
      licensed: peer.hasLicense,
      verified: peer.verified,
      keyId: peer.keyId ?? null,
      licenceClass: peer.licenseClass ?? null,
      isOwner: peer.verified && peer.callsign === this.#owner,
      at: peer.server?.callsign ?? null,
      since: attendee.since,
      fresh,
    }
    this.#persons.set(attendee, person)
    return person
  }
}

function isFresh(attendee: Attendee, now: number): boolean {
  return attendee.arrived && now - attendee.since < FRESH
}
