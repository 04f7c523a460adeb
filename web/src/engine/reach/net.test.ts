import { describe, expect, it } from 'vitest'
import type { Peer } from '../../wire/http'
import { netView } from './net'

const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]
const own = 'f'.repeat(64)

const peer = (more: Partial<Peer>): Peer => ({
  id: a,
  endpoint: 'https://192.168.1.7:8080',
  callsign: 'K1ABC',
  capabilities: [],
  lastContact: 0,
  discoveryMethod: 'mdns',
  state: 'linked',
  plain: false,
  link: 'open',
  verified: true,
  since: 10,
  root: { fingerprint: c, callsign: 'K1ABC' },
  reason: null,
  neighbours: [],
  way: [],
  ...more,
})
const quiet = { copy: null, splitLogs: [] }

describe('netView', () => {
  it('names those in between and those on the other ends by their callsigns', () => {
    const { servers } = netView(
      [
        peer({ neighbours: [own, b], way: [a] }),
        peer({ id: b, callsign: 'N0XYZ', state: 'reachable', link: null, way: [a, b], neighbours: [a] }),
        peer({ id: c, callsign: 'K7RA', state: 'reachable', link: null, way: [own, c] }),
      ],
      quiet,
    )
    expect(servers.map(({ through }) => through)).toEqual([[], ['K1ABC'], [null]])
    expect(servers.map(({ links }) => links)).toEqual([['N0XYZ'], ['K1ABC'], []])
  })

  it('says which links cross amateur frequencies and which servers the owner named', () => {
    const { servers } = netView([peer({ link: 'part97', discoveryMethod: 'manual' }), peer({})], quiet)
    expect(servers.map(({ radio, named }) => [radio, named])).toEqual([
      [true, true],
      [false, false],
    ])
  })

  it('passes warnings on with what proves them', () => {
    const checkpoint = (head: string) => ({ server: a, size: 3, head, signature: 's' })
    const view = netView([], { copy: 5, splitLogs: [{ keyId: a, callsign: 'K1ABC', checkpoints: [checkpoint(b), checkpoint(c)] }] })
    expect(view).toEqual({ servers: [], copyRuns: true, splits: [{ keyId: a, callsign: 'K1ABC', entries: 3, heads: [b, c] }] })
  })
})
