/**
 * One call: a peer connection, its control channel, and the phases a person sees.
 *
 * Invariants: only the other end, this end, or a lost way that does not come back ends a connected
 * call; what happens to the server's connection does not. It is connected only once the other end has
 * confirmed what it signed. After `end` nothing is reported any more.
 */
import type { CallPhase, Proof } from '../../model'
import type { CallStatement, Candidate, SessionDescription } from '../signaling/messages'
import { type Control, readControl, VERSION } from './messages'
import { Negotiator } from './negotiator'
import { pathOf } from './path'
import { type Refusal, reasons, refusedCall } from './reasons'
import type { CallStatements, Checked } from './statements'

export interface CallEvents {
  description(description: SessionDescription, statement: CallStatement | null): void
  candidate(candidate: Candidate): void
  phase(phase: CallPhase, reason: string | null): void
  path(path: string | null): void
  /** Who is at the other end; told when the call connects. */
  proof(proof: Proof): void
  control(message: Control): void
  /** The other end opened a channel for a file it sends. */
  fileChannel(channel: RTCDataChannel): void
}

const CONNECT_WITHIN = 30_000
const HELLO_WITHIN = 10_000
/** A way that was lost often comes back by itself. */
const RESTART_AFTER = 2_000
const COME_BACK_WITHIN = 60_000
/** Signals may be lost while the server or the network comes and goes. */
const TRY_AGAIN_EVERY = 8_000
const GOODBYE_TAKES = 250
/** Control messages wait here when the other end does not take them; beyond, they are refused. */
const MAX_BUFFERED = 4 * 1024 * 1024

export class Call {
  readonly #connection: RTCPeerConnection
  readonly #channel: RTCDataChannel
  readonly #negotiator: Negotiator
  readonly #statements: CallStatements
  readonly #events: CallEvents
  readonly #who: string
  #phase: CallPhase = 'connecting'
  #saidHello = false
  #isConfirmed = false
  #heardHello = false
  #candidates = 0
  /** It looked everywhere, and there was none. */
  #foundNone = false
  /** Ways that the other end told of after its descriptions. */
  #theirCandidates = 0
  #theyFoundNone = false
  /** Signing takes a moment, and candidates must not overtake their description. */
  #outgoing: Promise<void> = Promise.resolve()
  #answer: { readonly description: SessionDescription; readonly statement: CallStatement | null } | null = null
  /** So does checking what they confirm. */
  #incoming: Promise<void> = Promise.resolve()
  #greeting: Promise<void> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined
  #restart: ReturnType<typeof setTimeout> | undefined

  constructor(
    connection: RTCPeerConnection,
    way: { readonly polite: boolean; readonly incoming: boolean },
    who: string,
    statements: CallStatements,
    events: CallEvents,
  ) {
    this.#connection = connection
    this.#statements = statements
    this.#events = events
    this.#who = who
    this.#negotiator = new Negotiator(connection, way.polite, way.incoming, {
      description: (description) => this.#send(description),
      candidate: (candidate) => {
        if (candidate.candidate !== '') this.#candidates++
        this.#out(() => events.candidate(candidate))
        if (candidate.candidate === '') this.#out(() => this.#looked())
      },
      failed: () => this.#negotiationFailed(),
    })
    // Both ends make the same channel: when calls cross there is one, not two.
    this.#channel = connection.createDataChannel('ham', { negotiated: true, id: 0 })
    this.#watchChannel()
    connection.ondatachannel = ({ channel }) => events.fileChannel(channel)
    connection.onconnectionstatechange = () => this.#connectionChanged()
    this.#wait(CONNECT_WITHIN, () => this.#fail(this.#answered() ? this.#whyNoWay() : reasons.noAnswer(who)))
  }

  get phase(): CallPhase {
    return this.#phase
  }

  /** It was connected at least once: it ends for good reasons only. */
  get wasConnected(): boolean {
    return this.#heardHello
  }

  /** Takes an offer or an answer of this call, unless what came before it speaks against that. */
  async receiveDescription(checked: Checked, polite?: boolean): Promise<Refusal | null> {
    const place = this.#statements.place(checked)
    if (place === 'repeated') {
      if (checked.description.type === 'offer') this.#repeatAnswer()
      return null
    }
    if (place !== 'next') return place
    await this.#negotiator.description(checked.description, polite, () => this.#statements.use(checked))
    return null
  }

  receiveCandidate(candidate: Candidate): void {
    if (candidate.candidate !== '') this.#theirCandidates++
    this.#theyFoundNone = candidate.candidate === '' && !this.#theyToldOfSome()
    this.#neitherFound()
    void this.#negotiator.candidate(candidate)
  }

  /** False when the message could not be handed over. */
  send(message: Control): boolean {
    return this.#saidHello && this.#say(message)
  }

  openFileChannel(label: string): RTCDataChannel {
    return this.#connection.createDataChannel(label)
  }

  /** The most bytes one message to the other end may have. */
  get maxMessage(): number {
    return this.#connection.sctp?.maxMessageSize ?? 16 * 1024
  }

  /** The server is back: what was lost with its connection is said again. */
  signalingReturned(): void {
    if (this.#phase === 'connecting') {
      this.#negotiator.repeat()
      this.#repeatAnswer()
    }
    if (this.#phase === 'interrupted') {
      this.#interrupted()
      this.restart()
    }
  }

  /** Looks for another way to the other end. */
  restart(): void {
    clearTimeout(this.#restart)
    this.#restart = setTimeout(() => this.restart(), TRY_AGAIN_EVERY)
    if (this.#connection.signalingState === 'have-local-offer') this.#negotiator.repeat()
    else this.#connection.restartIce()
  }

  /** The server refused to carry our offer. */
  offerRefused(reason: string): void {
    // A running call needs no server, and the other end may restart it.
    void this.#negotiator.takeBack()
    if (this.#phase === 'connecting' && !this.#answered()) this.#fail(reason)
  }

  /** What came instead of an answer does not count. */
  refuse(refusal: Refusal): void {
    this.#fail(refusedCall(refusal, this.#who))
  }

  peerLeft(): void {
    if (this.#phase === 'connecting') this.#fail(reasons.leftBefore(this.#who))
  }

  /** Ends the call from this end. */
  end(reason: string): void {
    const said = this.send({ type: 'bye' })
    this.#finish('ended', reason, said ? GOODBYE_TAKES : 0)
  }

  #watchChannel(): void {
    this.#channel.onopen = () => {
      this.#greeting = this.#greet()
      this.#wait(HELLO_WITHIN, () => this.#fail(reasons.otherVersion(this.#who)))
    }
    this.#channel.onclose = () => this.#in(() => this.#finish('ended', reasons.closed(this.#who)))
    this.#channel.onmessage = ({ data }) => {
      const message = readControl(data)
      if (message) this.#in(() => this.#received(message))
    }
  }

  async #greet(): Promise<void> {
    // Before it there may be nothing to confirm yet.
    await this.#negotiator.settled()
    const confirmation = await this.#statements.confirmation().catch(() => null)
    if (confirmation) this.#say({ type: 'call-confirm', ...confirmation })
    this.#saidHello = this.#say({ type: 'hello', version: VERSION })
  }

  async #received(message: Control): Promise<void> {
    // Before it there may be nothing yet to compare a confirmation with.
    if (!this.#heardHello) await this.#negotiator.settled()
    if (this.#isOver) return
    if (message.type === 'call-confirm') {
      if (this.#isConfirmed) return
      this.#isConfirmed = await this.#statements.isConfirmedBy(message)
      if (!this.#isConfirmed) await this.#unconfirmed()
    } else if (message.type === 'hello') {
      if (this.#heardHello) return
      if (this.#statements.mustBeConfirmed && !this.#isConfirmed) return this.#unconfirmed()
      await this.#greeting
      if (this.#isOver) return
      this.#heardHello = true
      this.#events.proof(this.#statements.proof)
      this.#connected()
    } else if (message.type === 'bye') {
      this.#finish('ended', reasons.hungUp(this.#who))
    } else if (this.#heardHello) {
      this.#events.control(message)
    }
  }

  /** Our own confirmation is let out, so that the other end sees for itself what is wrong. */
  async #unconfirmed(): Promise<void> {
    await this.#greeting
    const said = this.send({ type: 'bye' })
    this.#finish('failed', refusedCall('unconfirmed', this.#who), said ? GOODBYE_TAKES : 0)
  }

  #connected(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#restart)
    this.#enter('connected', null)
    pathOf(this.#connection).then(
      (path) => this.#events.path(path),
      () => this.#events.path(null),
    )
  }

  #connectionChanged(): void {
    switch (this.#connection.connectionState) {
      case 'connected':
        if (this.#phase === 'interrupted') this.#connected()
        break
      case 'disconnected':
        if (!this.#heardHello || this.#phase === 'interrupted') break
        this.#interrupted()
        this.#restart = setTimeout(() => this.restart(), RESTART_AFTER)
        break
      case 'failed':
        if (!this.#heardHello) {
          this.#fail(this.#whyNoWay())
          break
        }
        if (this.#phase !== 'interrupted') this.#interrupted()
        this.restart()
        break
    }
  }

  #interrupted(): void {
    this.#enter('interrupted', null)
    this.#wait(COME_BACK_WITHIN, () => this.#fail(reasons.lost(this.#who)))
  }

  /** Without a way to tell of, Chromium still listens, and the other end may find us by its own: so this alone ends no call. */
  #looked(): void {
    this.#foundNone = this.#candidates === 0
    this.#neitherFound()
  }

  /** Where both ends have told of no way, there is nothing to wait for. Only at the start: in the middle of a call the network may be away for a moment. */
  #neitherFound(): void {
    if (this.#foundNone && this.#theyFoundNone && !this.#heardHello) this.#fail(this.#whyNoWay())
  }

  #negotiationFailed(): void {
    if (this.#phase === 'connecting') this.#fail(reasons.otherVersion(this.#who))
  }

  /** Both answered and no way led there: whose end it is, as far as it can be seen from here. */
  #whyNoWay(): string {
    if (this.#foundNone) return reasons.noCandidates(globalThis.isSecureContext)
    return this.#theyToldOfSome() ? reasons.noWay(this.#who) : reasons.theirNoCandidates(this.#who)
  }

  #theyToldOfSome(): boolean {
    return this.#theirCandidates > 0 || /^a=candidate:/m.test(this.#connection.remoteDescription?.sdp ?? '')
  }

  #answered(): boolean {
    return this.#connection.remoteDescription !== null
  }

  #fail(reason: string): void {
    this.#finish('failed', reason)
  }

  #finish(phase: 'failed' | 'ended', reason: string, after = 0): void {
    if (this.#isOver) return
    clearTimeout(this.#timer)
    clearTimeout(this.#restart)
    const connection = this.#connection
    this.#channel.onopen = this.#channel.onclose = this.#channel.onmessage = null
    connection.ondatachannel = connection.onconnectionstatechange = null
    connection.onnegotiationneeded = connection.onicecandidate = null
    if (after > 0) setTimeout(() => connection.close(), after)
    else connection.close()
    this.#enter(phase, reason)
  }

  get #isOver(): boolean {
    return this.#phase === 'failed' || this.#phase === 'ended'
  }

  #send(description: SessionDescription): void {
    const signing = this.#statements.sign(description)
    this.#out(async () => {
      const statement = await signing
      if (description.type === 'answer') this.#answer = { description, statement }
      this.#events.description(description, statement)
    })
  }

  /** The other end says its offer again: our answer, or the way it took, was lost. */
  #repeatAnswer(): void {
    this.#out(() => {
      if (this.#answer) this.#events.description(this.#answer.description, this.#answer.statement)
    })
  }

  #out(job: () => void | Promise<void>): void {
    this.#outgoing = this.#outgoing.then(job).catch(() => this.#negotiationFailed())
  }

  #in(job: () => void | Promise<void>): void {
    this.#incoming = this.#incoming.then(job)
  }

  #say(message: Control): boolean {
    if (this.#channel.readyState !== 'open' || this.#channel.bufferedAmount > MAX_BUFFERED) return false
    this.#channel.send(JSON.stringify(message))
    return true
  }

  #enter(phase: CallPhase, reason: string | null): void {
    this.#phase = phase
    this.#events.phase(phase, reason)
  }

  #wait(milliseconds: number, action: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(action, milliseconds)
  }
}
