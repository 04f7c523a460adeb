/**
 * A WebSocket that comes back.
 *
 * One connection at a time; events of an abandoned one are never heard. Nothing is queued across
 * connections: the server keeps what we missed, and what we could not say the calls say anew. What is
 * handed to an open socket is bounded by its own buffer. Devices that were asleep keep sockets that
 * look open and are dead: coming back into view asks for an answer at once.
 */
import { startAfter } from './backoff'

export interface SocketEvents {
  /** A connection is being made. */
  dialling(url: string): void
  opened(url: string): void
  text(data: string): void
  /** The connection is gone; the next attempt comes at `retryAt` (milliseconds since 1970). */
  lost(reason: string, retryAt: number): void
}

/** The part of a browser's WebSocket that is used. */
export type SocketLike = Pick<WebSocket, 'send' | 'close' | 'readyState' | 'bufferedAmount' | 'onopen' | 'onmessage' | 'onclose'>

const CONNECT_TIMEOUT = 8_000
const PING_EVERY = 20_000
const ANSWER_WITHIN = 8_000
const ANSWER_WITHIN_AFTER_SLEEP = 3_000
const MAX_BUFFERED = 1024 * 1024
const OPEN = 1
/** Normal closure (RFC 6455, 7.4.1). */
const LEAVING = 1000

export class ReconnectingSocket {
  readonly #url: () => string
  readonly #events: SocketEvents
  readonly #open: (url: string) => SocketLike
  #socket: SocketLike | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #attempts = 0
  #notBefore = 0
  #running = false

  constructor(url: () => string, events: SocketEvents, open = (target: string): SocketLike => new WebSocket(target)) {
    this.#url = url
    this.#events = events
    this.#open = open
  }

  /** Connects now, also when the next attempt was due later. */
  connect(): void {
    this.#running = true
    this.#drop()
    const url = this.#url()
    this.#events.dialling(url)
    const socket = this.#open(url)
    this.#socket = socket
    this.#after(CONNECT_TIMEOUT, () => this.#lose('The server does not answer. Check that it is switched on and that you are on its network.'))
    socket.onopen = () => {
      this.#events.opened(url)
      this.#watch()
    }
    socket.onmessage = (event: MessageEvent) => {
      this.#watch()
      if (typeof event.data === 'string') this.#events.text(event.data)
    }
    socket.onclose = (event: CloseEvent) => this.#lose(closeReason(event.code))
  }

  /** Closes for good, which the server is told, and stays closed until `connect`. */
  stop(): void {
    this.#running = false
    this.#drop(LEAVING)
  }

  /** False when the frame could not be handed over. */
  send(text: string): boolean {
    const socket = this.#socket
    if (socket?.readyState !== OPEN || socket.bufferedAmount > MAX_BUFFERED) return false
    socket.send(text)
    return true
  }

  /** The session is established: the next loss begins with a short wait again. */
  settled(): void {
    this.#attempts = 0
    this.#notBefore = 0
  }

  /** Leaves this connection and comes back, not before the server allows it. */
  retry(reason: string, afterSeconds: number): void {
    this.#notBefore = Date.now() + afterSeconds * 1000
    this.#lose(reason)
  }

  /** The device woke up, came back into view, or found a network. */
  wake(): void {
    if (!this.#running) return
    if (!this.#socket) this.connect()
    else if (this.#socket.readyState === OPEN) this.#probe(ANSWER_WITHIN_AFTER_SLEEP)
    // A handshake from before the sleep may wait for an answer that was lost.
    else this.#after(ANSWER_WITHIN_AFTER_SLEEP, () => this.connect())
  }

  #watch(): void {
    this.#after(PING_EVERY, () => this.#probe(ANSWER_WITHIN))
  }

  #probe(within: number): void {
    this.send('{"type":"PING"}')
    this.#after(within, () => this.#lose('The connection to the server fell silent.'))
  }

  #lose(reason: string): void {
    this.#drop()
    if (!this.#running) return
    const retryAt = Math.max(startAfter(this.#attempts++) + Date.now(), this.#notBefore)
    this.#after(retryAt - Date.now(), () => this.connect())
    this.#events.lost(reason, retryAt)
  }

  /** Without a code the server waits for us to come back (docs/protocol/signaling.md). */
  #drop(code?: number): void {
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(code)
  }

  #after(milliseconds: number, action: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(action, milliseconds)
  }
}

/** What a WebSocket close code means to a person (RFC 6455, 7.4.1, and docs/protocol/signaling.md). */
function closeReason(code: number): string {
  switch (code) {
    case 1001:
    case 1012:
      return 'The server is restarting.'
    case 1008:
      return 'The server closed the connection because this browser sent more than it allows. It tries again after a pause.'
    case 1009:
      return 'The server closed the connection because a message was too large.'
    case 4001:
      return 'This session goes on in another connection.'
    case 1013:
      return 'The server is busy, or this network is too slow to keep up with it.'
    case 1006:
      return 'The server cannot be reached. Check that it is switched on and that you are on its network.'
    default:
      return 'The server closed the connection.'
  }
}
