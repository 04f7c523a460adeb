/**
 * The calls with one person: the one of the moment, and what the server passes on for it.
 *
 * Offers and answers are checked before anything is done because of them, one after the other, candidates
 * in their place between them. Invariant: a connected call is replaced only by another that has come to
 * be connected too; until then what calls anew merely knocks.
 */
import type { CallPhase, Proof } from '../../model'
import type { CallStatement, Candidate, SessionDescription } from '../signaling/messages'
import { Call } from './call'
import type { Control } from './messages'
import { keptOut, type Refusal, reasons, refusedCall } from './reasons'
import { CallStatements, checkOffer, type Counterpart, type Heard, isRefusal, type Notary, type Trace } from './statements'

export interface CallsHost {
  readonly notary: Notary
  readonly who: () => string
  readonly counterpart: () => Counterpart
  /** Whether we are the polite end with this person. */
  readonly polite: () => boolean
  /** Why no call can be started now, or null. */
  readonly obstacle: () => string | null
  /** Null when this browser has no WebRTC. */
  readonly newConnection: () => RTCPeerConnection | null
  readonly sendDescription: (description: SessionDescription, statement: CallStatement | null) => void
  readonly sendCandidate: (candidate: Candidate) => void
  readonly phase: (phase: CallPhase, reason: string | null) => void
  readonly path: (path: string | null) => void
  readonly proof: (proof: Proof) => void
  /** Something was refused, and the call goes on. */
  readonly notice: (words: string) => void
  readonly control: (message: Control) => void
  readonly fileChannel: (channel: RTCDataChannel) => void
}

interface Under {
  readonly call: Call
  readonly statements: CallStatements
}

/** What waits to be checked, whoever floods us. */
const MAX_WAITING = 256
/** Calls that were, so that none is begun again with what was once said for it. */
const MAX_PAST = 32

export class Calls {
  readonly #host: CallsHost
  #current: Under | null = null
  /** Would take the place of the current call, if it connects. */
  #knocking: Under | null = null
  #past: readonly Trace[] = []
  #work: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(host: CallsHost) {
    this.#host = host
  }

  get call(): Call | null {
    return this.#current?.call ?? null
  }

  /** Calls, or brings the running call back. */
  start(): void {
    if (this.#current) {
      if (this.#current.call.phase === 'interrupted') this.#current.call.restart()
      return
    }
    const obstacle = this.#host.obstacle()
    if (obstacle) return this.#host.phase('failed', obstacle)
    this.#current = this.#newCall({ polite: this.#host.polite(), incoming: false })
    if (this.#current) this.#host.phase('connecting', null)
  }

  offered(heard: Heard, polite: boolean): void {
    this.#queue(async () => {
      const checked = await checkOffer(heard, this.#host.counterpart(), this.#host.notary)
      if (isRefusal(checked)) return this.#refused(checked)
      const known = [this.#current, this.#knocking].find((one) => one?.statements.continues(checked))
      const { signed } = checked
      if (signed && this.#past.some(({ id, counter }) => id === signed.callId && counter >= signed.counter)) return this.#refused('old')
      const under = known ?? this.#answerAnew(polite)
      const refusal = await under?.call.receiveDescription(checked, polite)
      if (refusal) this.#refused(refusal)
    })
  }

  answered(heard: Heard): void {
    this.#queue(async () => {
      const under = this.#current
      const checked = await under?.statements.checkAnswer(heard)
      if (!under || !checked || checked === 'superseded' || under !== this.#current) return
      if (isRefusal(checked)) return this.#refused(checked, under.call)
      if (!under.statements.hasTheirKey(checked)) return this.#callAnew(under.call)
      const refusal = await under.call.receiveDescription(checked)
      if (refusal) this.#refused(refusal, under.call)
    })
  }

  candidate(candidate: Candidate): void {
    // Candidates name the description they belong to: a call leaves alone those of another.
    this.#queue(async () => {
      for (const one of [this.#current, this.#knocking]) one?.call.receiveCandidate(candidate)
    })
  }

  offerRefused(reason: string): void {
    this.call?.offerRefused(reason)
  }

  hangUp(reason: string): void {
    this.#knocking?.call.end(reason)
    this.call?.end(reason)
  }

  /** Their page was reloaded, and what came is the beginning of another call. */
  #answerAnew(polite: boolean): Under | null {
    const way = { polite, incoming: true }
    if (this.#current?.call.wasConnected) {
      this.#knocking?.call.end(reasons.closed(this.#host.who()))
      this.#knocking = this.#newCall(way)
      return this.#knocking
    }
    this.call?.end(reasons.closed(this.#host.who()))
    this.#current = this.#newCall(way)
    if (this.#current) this.#host.phase('connecting', null)
    return this.#current
  }

  /** They left the call that we were trying to save, and took our offer for a new one. */
  #callAnew(left: Call): void {
    left.end(reasons.closed(this.#host.who()))
    if (this.#host.obstacle() === null) this.start()
  }

  #newCall(way: { readonly polite: boolean; readonly incoming: boolean }): Under | null {
    const { notary, counterpart, who } = this.#host
    const connection = this.#host.newConnection()
    if (!connection) {
      this.#host.phase('failed', reasons.noWebRtc)
      return null
    }
    const statements = new CallStatements(notary, counterpart)
    // Events of a call that was replaced are not ours any more, and one that knocks only signals.
    const ifCurrent = (act: () => void) => {
      if (this.#current === under) act()
    }
    const ifUnder = (act: () => void) => {
      if (this.#current === under || this.#knocking === under) act()
    }
    const call = new Call(connection, way, who(), statements, {
      description: (description, statement) => ifUnder(() => this.#host.sendDescription(description, statement)),
      candidate: (candidate) => ifUnder(() => this.#host.sendCandidate(candidate)),
      phase: (phase, reason) => ifUnder(() => this.#phase(under, phase, reason)),
      path: (path) => ifCurrent(() => this.#host.path(path)),
      proof: (proof) => {
        if (this.#knocking === under) this.#admit(under)
        ifCurrent(() => this.#host.proof(proof))
      },
      control: (message) => ifCurrent(() => this.#host.control(message)),
      fileChannel: (channel) => ifCurrent(() => this.#host.fileChannel(channel)),
    })
    const under: Under = { call, statements }
    return under
  }

  /** What knocked is connected: the call that it replaces is gone. */
  #admit(under: Under): void {
    this.#knocking = null
    this.call?.end(reasons.closed(this.#host.who()))
    this.#current = under
    this.#host.phase('connecting', null)
  }

  #phase(under: Under, phase: CallPhase, reason: string | null): void {
    const over = phase === 'failed' || phase === 'ended'
    const { trace } = under.statements
    if (over && trace) this.#past = [...this.#past, trace].slice(-MAX_PAST)
    if (under === this.#knocking) {
      if (over) this.#knocking = null
      return
    }
    if (over) {
      this.#current = this.#knocking
      this.#knocking = null
    }
    this.#host.phase(phase, reason)
    if (over && this.#current) this.#host.phase('connecting', null)
  }

  /** What does not count ends only a call that cannot come about without it. */
  #refused(refusal: Refusal, instead?: Call): void {
    const who = this.#host.who()
    if (!this.#current) return this.#host.phase('failed', refusedCall(refusal, who))
    const late = refusal === 'old' || refusal === 'other-call'
    if (instead && !instead.wasConnected && !late) instead.refuse(refusal)
    else this.#host.notice(keptOut(refusal, who))
  }

  #queue(job: () => Promise<void>): void {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting++
    this.#work = this.#work.then(job).finally(() => {
      this.#waiting--
    })
  }
}
