import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LocalServers } from '../wire/http'
import { Nearby } from './nearby'

const k1abc = {
  callsign: 'K1ABC',
  endpoint: 'http://192.168.1.7:8080',
  signalingUrl: 'ws://192.168.1.7:8080/signal',
  capabilities: ['signaling'],
  source: 'mdns',
  age: 7,
  fp: null,
  verified: false,
}

let ask: ReturnType<typeof vi.fn<() => Promise<LocalServers>>>
let visible: boolean
let nearby: Nearby

beforeEach(() => {
  vi.useFakeTimers()
  ask = vi.fn(async () => ({ servers: [k1abc] }))
  visible = true
  nearby = new Nearby({ localServers: ask }, () => visible)
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the servers nearby', () => {
  it('are asked for while somebody looks, and not before or after', async () => {
    await vi.advanceTimersByTimeAsync(60_000)
    expect(ask).not.toHaveBeenCalled()
    expect(nearby.servers.value).toBeNull()
    const stop = nearby.watch()
    await vi.advanceTimersByTimeAsync(11_000)
    expect(ask).toHaveBeenCalledTimes(3)
    expect(nearby.servers.value).toEqual([{ callsign: 'K1ABC', endpoint: 'http://192.168.1.7:8080', age: 7 }])
    visible = false
    await vi.advanceTimersByTimeAsync(60_000)
    visible = true
    stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(ask).toHaveBeenCalledTimes(3)
  })

  it('stay as they were when the server does not answer', async () => {
    const stop = nearby.watch()
    await vi.advanceTimersByTimeAsync(0)
    ask.mockRejectedValue(new Error('unreachable'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(nearby.servers.value).toHaveLength(1)
    stop()
  })
})
