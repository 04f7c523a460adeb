import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startAfter } from './backoff'
import { ReconnectingSocket, type SocketLike } from './socket'

class FakeSocket implements SocketLike {
  static all: FakeSocket[] = []
  readonly sent: string[] = []
  readyState: SocketLike['readyState'] = 0
  bufferedAmount = 0
  closed = false
  code: number | undefined
  onopen: SocketLike['onopen'] = null
  onmessage: SocketLike['onmessage'] = null
  onclose: SocketLike['onclose'] = null

  constructor() {
    FakeSocket.all.push(this)
  }

  send(data: unknown): void {
    this.sent.push(String(data))
  }

  close(code?: number): void {
    this.code = code
    this.closed = true
    this.readyState = 3
  }

  accept(): void {
    this.readyState = 1
    this.onopen?.call(this as never, new Event('open'))
  }

  say(data: string): void {
    this.onmessage?.call(this as never, { data } as MessageEvent)
  }

  die(code: number): void {
    this.readyState = 3
    this.onclose?.call(this as never, { code } as CloseEvent)
  }
}

const last = () => FakeSocket.all.at(-1) as FakeSocket
let events: { dialling: ReturnType<typeof vi.fn<(url: string) => void>>; opened: ReturnType<typeof vi.fn<(url: string) => void>>; text: ReturnType<typeof vi.fn<(data: string) => void>>; lost: ReturnType<typeof vi.fn<(reason: string, retryAt: number) => void>> }
let socket: ReconnectingSocket

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
  events = { dialling: vi.fn(), opened: vi.fn(), text: vi.fn(), lost: vi.fn() }
  socket = new ReconnectingSocket(() => 'ws://server/signal', events, () => new FakeSocket())
  socket.connect()
})
afterEach(() => {
  socket.stop()
  vi.useRealTimers()
})

describe('a socket that comes back', () => {
  it('tries again after a loss, with a sentence and the time', () => {
    last().accept()
    last().die(1006)
    expect(events.lost).toHaveBeenCalledWith(expect.stringContaining('cannot be reached'), expect.any(Number))
    const retryAt = events.lost.mock.calls[0]?.[1] ?? 0
    expect(retryAt - Date.now()).toBeLessThanOrEqual(650)
    vi.advanceTimersByTime(retryAt - Date.now())
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('waits longer with every failure, and briefly again once settled', () => {
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      last().die(1006)
      const retryAt = events.lost.mock.calls.at(-1)?.[1] ?? 0
      waits.push(retryAt - Date.now())
      vi.advanceTimersByTime(retryAt - Date.now())
    }
    expect(waits[3]).toBeGreaterThan((waits[0] ?? 0) * 3)
    last().accept()
    socket.settled()
    last().die(1006)
    expect((events.lost.mock.calls.at(-1)?.[1] ?? 0) - Date.now()).toBeLessThanOrEqual(650)
  })

  it('gives up on a server that does not answer the handshake', () => {
    vi.advanceTimersByTime(8_000)
    expect(events.lost).toHaveBeenCalledTimes(1)
    expect(last().closed).toBe(true)
  })

  it('notices a connection that fell silent', () => {
    const first = last()
    first.accept()
    vi.advanceTimersByTime(20_000)
    expect(first.sent).toEqual(['{"type":"PING"}'])
    first.say('{"type":"PONG"}')
    vi.advanceTimersByTime(20_000)
    vi.advanceTimersByTime(8_000)
    expect(events.lost).toHaveBeenCalledWith(expect.stringContaining('silent'), expect.any(Number))
    expect(first.closed).toBe(true)
  })

  it('after sleep asks at once, and leaves a dead socket quickly', () => {
    last().accept()
    socket.wake()
    expect(last().sent).toEqual(['{"type":"PING"}'])
    vi.advanceTimersByTime(3_000)
    expect(events.lost).toHaveBeenCalledTimes(1)
    socket.wake()
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('after sleep does not wait for a handshake from before', () => {
    socket.wake()
    vi.advanceTimersByTime(3_000)
    expect(FakeSocket.all).toHaveLength(2)
    last().accept()
    expect(events.opened).toHaveBeenCalledTimes(1)
  })

  it('does not come back before the server allows it', () => {
    last().accept()
    socket.retry('The server is restarting.', 30)
    vi.advanceTimersByTime(29_000)
    expect(FakeSocket.all).toHaveLength(1)
    vi.advanceTimersByTime(1_000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('never hears a connection it has left', () => {
    const first = last()
    first.accept()
    socket.connect()
    first.say('late')
    first.die(1006)
    expect(events.text).not.toHaveBeenCalled()
    expect(events.lost).not.toHaveBeenCalled()
  })

  it('tells the server whether it leaves for good', () => {
    const first = last()
    first.accept()
    socket.connect()
    expect([first.closed, first.code]).toEqual([true, undefined])
    const second = last()
    second.accept()
    socket.stop()
    expect([second.closed, second.code]).toEqual([true, 1000])
  })

  it('stays closed when stopped', () => {
    socket.stop()
    socket.wake()
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.all).toHaveLength(1)
    expect(socket.send('x')).toBe(false)
  })

  it('refuses frames when the network does not take them', () => {
    last().accept()
    expect(socket.send('x')).toBe(true)
    last().bufferedAmount = 2 * 1024 * 1024
    expect(socket.send('y')).toBe(false)
    expect(last().sent).toEqual(['x'])
  })
})

describe('back-off', () => {
  it('stays between its bounds for every chance', () => {
    expect(startAfter(0, () => 0)).toBe(350)
    expect(startAfter(0, () => 1)).toBe(650)
    expect(startAfter(1000, () => 1)).toBe(19_500)
  })
})
