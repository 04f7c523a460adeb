import { beforeEach, describe, expect, it } from 'vitest'
import type { FindStep } from '../../model-reach'
import { Finder } from './finder'
import { Memory } from './memory'

const now = 1_700_000_000_000

/** What answers, by its address; what is not here does not. */
let answers: Map<string, unknown>
let asked: string[]
let stored: Map<string, string>
let memory: Memory

const info = (callsign: string | null) => ({ type: 'signaling', callsign })
const heard = (...servers: readonly [callsign: string, endpoint: string][]) => ({ servers: servers.map(([callsign, endpoint]) => ({ callsign, endpoint, age: 7 })) })

beforeEach(() => {
  answers = new Map()
  asked = []
  stored = new Map()
  memory = new Memory({ getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) })
})

async function find(origin = 'http://192.168.1.5:8080'): Promise<readonly FindStep[]> {
  const finder = new Finder({
    origin,
    server: () => origin,
    memory,
    fetch: async (url) => {
      asked.push(url)
      if (!answers.has(url)) throw new TypeError('Failed to fetch')
      return { ok: true, json: async () => answers.get(url) }
    },
    now: () => now,
  })
  await finder.find()
  return finder.steps.value ?? []
}

const summary = (steps: readonly FindStep[], where: FindStep['where']) => {
  const step = steps.find((one) => one.where === where)
  return [step?.state, ...(step?.servers ?? []).map(({ callsign, address, state, age }) => `${callsign} ${address} ${state} ${age}`)]
}

describe('looking for servers', () => {
  it('shows those the server hears, and which of them answer this device', async () => {
    answers.set('http://192.168.1.5:8080/api/local-servers', heard(['K1ABC', 'http://192.168.1.7:8080'], ['N0XYZ', 'http://192.168.1.12:8081']))
    answers.set('http://192.168.1.7:8080/api/info', info('K1ABC'))
    // Something else listens there.
    answers.set('http://192.168.1.12:8081/api/info', { hello: 'printer' })
    const steps = await find()
    expect(summary(steps, 'heard')).toEqual(['done', 'K1ABC 192.168.1.7:8080 answers 7', 'N0XYZ 192.168.1.12:8081 silent 7'])
    expect(summary(steps, 'here')).toEqual(['done'])
  })

  it('goes on without the server, with those that were heard of before', async () => {
    answers.set('http://192.168.1.5:8080/api/local-servers', heard(['K1ABC', 'http://192.168.1.7:8080']))
    await find()
    answers.clear()
    answers.set('http://192.168.1.7:8080/api/info', info('K1ABC'))
    const steps = await find()
    expect(summary(steps, 'heard')).toEqual(['failed'])
    expect(summary(steps, 'known')).toEqual(['done', 'K1ABC 192.168.1.7:8080 answers 7'])
  })

  it('looks on this device, at the ports servers take', async () => {
    answers.set('http://localhost:8081/api/info', info(null))
    expect(summary(await find('http://localhost:8080'), 'here')).toEqual(['done', 'null localhost:8081 answers null'])
    expect(asked).not.toContain('http://localhost:8080/api/info')
    expect(asked.filter((url) => url.startsWith('http://localhost') && url.endsWith('/api/info'))).toHaveLength(7)
  })

  it('does not ask plain addresses from a secure page, since the browser would not let it', async () => {
    answers.set('https://w1aw.local:8080/api/local-servers', heard(['K1ABC', 'http://192.168.1.7:8080']))
    expect(summary(await find('https://w1aw.local:8080'), 'heard')).toEqual(['done', 'K1ABC 192.168.1.7:8080 unasked 7'])
    expect(asked).not.toContain('http://192.168.1.7:8080/api/info')
  })

  it('says how they were found, as the server tells', async () => {
    answers.set('http://192.168.1.5:8080/api/local-servers', {
      servers: [
        { callsign: 'K1ABC', endpoint: 'http://192.168.1.7:8080', age: 3, source: 'mdns', verified: true },
        { callsign: 'N0XYZ', endpoint: 'http://192.168.9.9:8080', age: null, source: 'peer', verified: true },
        { callsign: 'K7RA', endpoint: 'http://k7ra-ham-server.local.mesh:8080', age: 90, source: 'manual', verified: false },
      ],
    })
    const [heard] = await find()
    expect(heard?.servers.map(({ found, verified, age }) => [found, verified, age])).toEqual([
      ['mdns', true, 3],
      ['peer', true, null],
      ['manual', false, 90],
    ])
  })

  it('takes nothing but addresses from a server that lies, and asks nobody beyond this network for it', async () => {
    const endpoints = ['javascript:alert(1)', 'http://user@192.168.1.7', 'nowhere', 'http://', 7, null, 'data:text/html,x', 'http://192.168.1.7:8080/path?x#y', 'http://203.0.113.9:8080', 'https://evil.example']
    answers.set('http://192.168.1.5:8080/api/local-servers', { servers: [null, { endpoint: 'http://192.168.1.8:8080' }, ...endpoints.map((endpoint) => ({ callsign: 'K1ABC', endpoint, age: 'old' }))] })
    const steps = await find()
    expect(steps[0]?.servers.map(({ url, state, age }) => [url, state, age])).toEqual([
      ['http://192.168.1.7:8080/', 'silent', null],
      ['http://203.0.113.9:8080/', 'unasked', null],
      ['https://evil.example/', 'unasked', null],
    ])
    expect(asked.filter((url) => /203|evil/.test(url))).toEqual([])
    for (const damaged of [{}, { servers: 'many' }, null]) {
      answers.set('http://192.168.1.5:8080/api/local-servers', damaged)
      expect((await find()).map(({ state }) => state)).not.toContain('looking')
    }
  })

  it('asks no crowd', async () => {
    const crowd = Array.from({ length: 64 }, (_, index): [string, string] => ['K1ABC', `http://192.168.1.${index + 1}:8080`])
    answers.set('http://192.168.2.5:8080/api/local-servers', heard(...crowd))
    const steps = await find('http://192.168.2.5:8080')
    expect(asked.filter((url) => url.startsWith('http://192.168.1.'))).toHaveLength(16)
    expect(summary(steps, 'heard').filter((line) => line?.includes('unasked'))).toHaveLength(48)
  })
})

describe('the memory of servers', () => {
  it('keeps the latest sixteen, each address once', () => {
    memory.remember(Array.from({ length: 20 }, (_, index) => ({ callsign: 'K1ABC', endpoint: `http://192.168.1.${index}:8080`, seen: index })))
    memory.remember([{ callsign: 'N0XYZ', endpoint: 'http://192.168.1.19:8080', seen: 100 }])
    const list = memory.list()
    expect(list).toHaveLength(16)
    expect(list[0]).toEqual({ callsign: 'N0XYZ', endpoint: 'http://192.168.1.19:8080', seen: 100 })
    expect(list.at(-1)?.seen).toBe(4)
  })

  it('reads nothing into what is damaged, and needs no storage', () => {
    for (const damaged of ['', '{', '7', '[{"endpoint":"nowhere","callsign":"K1ABC","seen":1}]', '[null]']) {
      stored.set('servers', damaged)
      expect(memory.list()).toEqual([])
    }
    const none = new Memory(null)
    none.remember([{ callsign: 'K1ABC', endpoint: 'http://192.168.1.7:8080', seen: 1 }])
    expect(none.list()).toEqual([])
  })
})
