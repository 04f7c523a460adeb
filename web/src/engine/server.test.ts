import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Info } from './api'
import { Server } from './server'

const info: Info = {
  version: '0.1.0-1',
  callsign: null,
  state: 'unclaimed',
  certFingerprint: null,
  station: null,
  addresses: [],
  local: true,
  guestCalls: false,
  secure: null,
  zone: { zone: 'open', reason: 'it looks like an ordinary network' },
}

let ask: ReturnType<typeof vi.fn<() => Promise<Info>>>
let visible: boolean
let server: Server

beforeEach(() => {
  vi.useFakeTimers()
  ask = vi.fn(async () => ({ ...info }))
  visible = true
  server = new Server({ info: ask }, () => visible)
})
afterEach(() => {
  vi.useRealTimers()
})

describe('what the server says of itself', () => {
  it('is asked for often while it has no owner, and seldom later', async () => {
    await server.refresh()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(ask).toHaveBeenCalledTimes(2)
    const secure = { root: 'ab12', urls: ['https://w1aw.local:8080'], amateurNetworks: [] }
    ask.mockResolvedValue({ ...info, state: 'active', callsign: 'W1AW', station: { name: 'Hiram', grid: null, licenseClass: null }, secure })
    expect(server.view.value.secureAddress).toBeNull()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(server.view.value).toMatchObject({ state: 'active', owner: 'W1AW', ownerName: 'Hiram', ownerGrid: null, secureAddress: secure })
    await vi.advanceTimersByTimeAsync(59_000)
    expect(ask).toHaveBeenCalledTimes(3)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(ask).toHaveBeenCalledTimes(4)
  })

  it('is not asked for while nobody looks', async () => {
    visible = false
    await server.refresh()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('stays as it was when there is no answer, or the same one', async () => {
    await server.refresh()
    const before = server.view.value
    ask.mockRejectedValueOnce(new Error('gone'))
    await vi.advanceTimersByTimeAsync(5_000)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(ask).toHaveBeenCalledTimes(3)
    expect(server.view.value).toBe(before)
  })
})
