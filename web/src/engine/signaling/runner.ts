/**
 * Runs the session machine: hands it what happens on the socket and carries out its commands, the ones
 * that need cryptography included.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { Certificate } from '../trust/certificate'
import type { Identity } from '../trust/identity'
import { freshNonce, type Login } from '../trust/statement'
import type { Store } from '../trust/store'
import { type Incoming, type Outgoing, readFrame } from './messages'
import { advance, type Command, type Input, isOurs, newSession, type Session } from './session'
import { ReconnectingSocket } from './socket'

export interface SessionHost {
  readonly identity: () => Identity | null
  readonly joinCode: string | null
  readonly store: Store
  /** Frames beyond the session itself; `REGISTERED` comes here too, after the session has taken it. */
  readonly received: (frame: Incoming) => void
}

export class SessionRunner {
  readonly session: ReadonlySignal<Session>
  readonly #session = signal<Session>(newSession('main', Date.now()))
  readonly #host: SessionHost
  readonly #socket: ReconnectingSocket
  #url: string
  /** Not part of the session's state, which others watch: it changes with every frame. */
  #lastSeq = 0
  #owner: Certificate | null = null

  constructor(url: string, net: string, host: SessionHost) {
    this.session = this.#session
    this.#session.value = newSession(net, Date.now())
    this.#host = host
    this.#url = url
    this.#socket = new ReconnectingSocket(() => this.#url, {
      dialling: () => this.#take({ kind: 'dialling' }),
      opened: (dialled) => this.#take({ kind: 'opened', url: dialled, clientNonce: freshNonce(), credentials: credentialsOf(host.identity()), lastSeq: this.#lastSeq }),
      text: (data) => {
        const frame = readFrame(data)
        if (!frame) return
        this.#take({ kind: 'frame', frame })
        // Before and with RESUMED the numbers are the connection's, after it the session's again.
        if (frame.type !== 'RESUMED' && this.#session.value.step === 'connected') this.#lastSeq = frame.seq ?? this.#lastSeq
        host.received(frame)
      },
      lost: (reason, retryAt) => this.#take({ kind: 'lost', reason, retryAt }),
    })
  }

  /** Connects anew; as somebody else, the session that we were in is left for good. */
  connect(): void {
    const { resumable } = this.#session.value
    if (resumable && !isOurs(resumable, credentialsOf(this.#host.identity()))) this.#socket.stop()
    this.#socket.connect()
  }

  /** Goes to another server. What resumes the session at the one we leave is not for others. */
  move(url: string): void {
    this.#socket.stop()
    this.#url = url
    this.#lastSeq = 0
    this.#owner = null
    this.#session.value = newSession(this.#session.value.net, Date.now())
    this.#socket.connect()
  }

  /** Who signed the certificate of the server that we logged in to; null before, and for guests. */
  get owner(): Certificate | null {
    return this.#owner
  }

  wake(): void {
    this.#socket.wake()
  }

  join(net: string): void {
    this.#take({ kind: 'join', net })
  }

  /** False when we are not registered or the network takes nothing. */
  send(message: Outgoing): boolean {
    return this.#session.value.step === 'connected' && this.#socket.send(JSON.stringify(message))
  }

  #take(input: Input): void {
    const [next, commands] = advance(this.#session.value, input, Date.now())
    this.#session.value = next
    for (const command of commands) this.#carryOut(command)
  }

  #carryOut(command: Command): void {
    switch (command.do) {
      case 'send':
        this.#socket.send(JSON.stringify(command.message))
        return
      case 'judge':
        void this.#judge(command)
        return
      case 'prove':
        void this.#prove(command.login)
        return
      case 'settled':
        return this.#socket.settled()
      case 'retry':
        return this.#socket.retry(command.reason, command.retryAfter)
      case 'close':
        return this.#socket.stop()
    }
  }

  async #judge({ proof, dialled }: Extract<Command, { do: 'judge' }>): Promise<void> {
    const identity = this.#host.identity()
    if (!identity) return
    const { store, joinCode } = this.#host
    const { beliefsOf, judge } = await import('../trust/operator')
    const verdict = await judge(proof, dialled, { ...beliefsOf(identity, joinCode, store), mine: identity.parsed })
    this.#owner = verdict.kind === 'trusted' ? verdict.owner : null
    this.#take({ kind: 'judged', clientNonce: dialled.clientNonce, verdict })
    if (verdict.kind === 'trusted') await store.pin(verdict.fingerprint)
  }

  async #prove(login: Login): Promise<void> {
    const identity = this.#host.identity()
    if (!identity) return
    const { signStatement, statement } = await import('../trust/operator')
    const signature = await signStatement(identity.privateKey, statement('client-proof', login))
    // The connection this was made for may be gone by now; its nonce makes the signature useless elsewhere.
    const current = this.#session.value
    if (current.step === 'proving' && current.dialled?.clientNonce === login.clientNonce) {
      this.#socket.send(JSON.stringify({ type: 'AUTHENTICATE', id: 'authenticate', signature }))
    }
  }
}

function credentialsOf(identity: Identity | null) {
  return identity && { callsign: identity.parsed.callsign, certificate: identity.certificate, chain: identity.chain }
}
