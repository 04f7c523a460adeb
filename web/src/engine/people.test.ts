import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { People } from './people'
import type { Peer } from './signaling/messages'

const guest = (id: string): Peer => ({ id, callsign: 'GUEST', hasLicense: false, verified: false, net: 'main' })
const owner: Peer = { id: '01', callsign: 'W1AW', hasLicense: true, verified: true, keyId: 'k', net: 'main' }

let people: People
let asked: (string | null)[]

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  people = new People((cursor) => asked.push(cursor), () => undefined)
  people.received({ type: 'REGISTERED', clientId: '00', serverOwner: 'W1AW', role: 'unlicensed', guestCalls: false, net: 'main', peers: [owner], next: 'c1', session: 't' })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the list of people', () => {
  it('asks for every page', () => {
    people.received({ type: 'PEER_LIST', peers: [guest('02')], next: 'c2' })
    people.received({ type: 'PEER_LIST', peers: [guest('03')], next: null })
    expect(asked).toEqual(['c1', 'c2'])
    expect(people.list.value.map(({ id }) => id)).toEqual(['01', '02', '03'])
  })

  it('is read anew, once and not at once, when not everybody was named', () => {
    people.received({ type: 'PEER_LIST', peers: [guest('02')], next: null })
    people.received({ type: 'PEERS_CHANGED', joined: [guest('03')], left: ['01'], more: true })
    people.received({ type: 'PEERS_CHANGED', joined: [], left: [], more: true })
    expect(people.list.value.map(({ id }) => id)).toEqual(['02', '03'])
    vi.advanceTimersByTime(1_999)
    expect(asked).toEqual(['c1'])
    vi.advanceTimersByTime(8_001)
    expect(asked).toEqual(['c1', null])
    people.received({ type: 'PEER_LIST', peers: [guest('03')], next: 'c2' })
    expect(asked).toEqual(['c1', null, 'c2'])
    expect(people.list.value.map(({ id }) => id)).toEqual(['02', '03'])
    people.received({ type: 'PEER_LIST', peers: [guest('04')], next: null })
    expect(people.list.value.map(({ id }) => id)).toEqual(['03', '04'])
  })

  it('knows the owner by a proven callsign only', () => {
    people.received({ type: 'PEER_JOINED', peer: { ...guest('0000000000003f2a'), callsign: 'W1AW' } })
    expect(people.list.value.map(({ isOwner }) => isOwner)).toEqual([true, false])
  })

  it('gives guests a name to tell them apart', () => {
    people.received({ type: 'PEER_JOINED', peer: guest('0000000000003f2a') })
    expect(people.list.value[1]?.label).toBe('Guest 3F2A')
  })

  it('marks newcomers for half a minute, and leaves everybody else untouched', () => {
    people.received({ type: 'PEER_JOINED', peer: guest('02') })
    const [first, second] = people.list.value
    expect([first?.fresh, second?.fresh]).toEqual([false, true])
    vi.advanceTimersByTime(30_000)
    expect(people.list.value[0]).toBe(first)
    expect(people.list.value[1]?.fresh).toBe(false)
  })
})
