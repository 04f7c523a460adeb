import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failover } from './failover'
import { Memory } from './memory'

const home = 'http://192.168.1.5:8080'
const k1abc = 'http://192.168.1.7:8080'
const n0xyz = 'http://192.168.1.9:8080'

/** Which servers answer, and what. */
let answers: Map<string, unknown>
let moves: string[]
let memory: Memory

const open = { type: 'signaling', state: 'active' }

function make(origin = home) {
  return new Failover({
    home: origin,
    memory,
    isVisible: () => true,
    get: async <T>(url: string) => {
      if (!answers.has(url)) throw new TypeError('Failed to fetch')
      return answers.get(url) as T
    },
    owner: () => 'W1AW',
    move: (endpoint) => moves.push(endpoint),
  })
}

const comes = (endpoint: string, info: unknown = open) => answers.set(`${endpoint}/api/info`, info)
const goes = (endpoint: string) => answers.delete(`${endpoint}/api/info`)
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

beforeEach(() => {
  vi.useFakeTimers()
  answers = new Map()
  moves = []
  const stored = new Map<string, string>()
  memory = new Memory({ getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) })
  memory.remember([
    { callsign: 'K1ABC', endpoint: k1abc, seen: 2 },
    { callsign: 'N0XYZ', endpoint: n0xyz, seen: 1 },
  ])
  for (const one of [home, k1abc, n0xyz]) comes(one)
})

afterEach(() => {
  vi.useRealTimers()
})

describe('another server while ours is gone', () => {
  it('is not looked for while ours is back soon, or answers', async () => {
    const failover = make()
    failover.follow('connected')
    goes(home)
    failover.follow('waiting')
    await pass(5)
    failover.follow('connected')
    await pass(60)
    comes(home)
    failover.follow('waiting')
    await pass(60)
    expect(moves).toEqual([])
  })

  it('is the one heard of last that answers and is open, and ours again once it answers', async () => {
    const failover = make()
    failover.follow('connected')
    goes(home)
    comes(k1abc, { type: 'signaling', state: 'claimed' })
    failover.follow('waiting')
    await pass(7)
    expect(moves).toEqual([n0xyz])
    expect(failover.refuge.value).toEqual({ endpoint: n0xyz, home: 'W1AW' })
    failover.follow('dialling')
    failover.follow('connected')
    await pass(60)
    expect(moves).toEqual([n0xyz])
    comes(home)
    await pass(31)
    expect(moves).toEqual([n0xyz, home])
    expect(failover.refuge.value).toBeNull()
    await pass(60)
    expect(moves).toHaveLength(2)
  })

  it('is left for a third when it dies too', async () => {
    const failover = make()
    failover.follow('connected')
    goes(home)
    failover.follow('waiting')
    await pass(7)
    failover.follow('connected')
    goes(k1abc)
    failover.follow('waiting')
    await pass(7)
    expect(moves).toEqual([k1abc, n0xyz])
    expect(failover.refuge.value?.home).toBe('W1AW')
  })

  it('is passed over when this browser does not know it', async () => {
    const failover = make()
    failover.follow('connected')
    goes(home)
    failover.follow('waiting')
    await pass(7)
    failover.follow('unknown-server')
    await pass(1)
    expect(moves).toEqual([k1abc, n0xyz])
    failover.follow('refused')
    await pass(1)
    expect(moves).toEqual([k1abc, n0xyz, home])
    // None of the two is tried again until home was reached.
    failover.follow('waiting')
    await pass(30)
    expect(moves).toHaveLength(3)
  })

  it('is no answer to a server of ours that we do not know', async () => {
    const failover = make()
    goes(home)
    failover.follow('dialling')
    failover.follow('unknown-server')
    await pass(60)
    expect(moves).toEqual([])
  })

  it('is reached from a secure page by its secure address only', async () => {
    const failover = make('https://w1aw.local:8080')
    failover.follow('waiting')
    await pass(7)
    expect(moves).toEqual([])
    comes('https://192.168.1.9:8080')
    await pass(7)
    expect(moves).toEqual(['https://192.168.1.9:8080'])
  })

  it('is known because ours heard it', async () => {
    answers.set(`${home}/api/local-servers`, { servers: [{ callsign: 'K7RA', endpoint: 'http://192.168.1.11:8080', age: 0 }] })
    const failover = make()
    failover.follow('connected')
    await pass(1)
    expect(memory.list()[0]?.callsign).toBe('K7RA')
  })
})
