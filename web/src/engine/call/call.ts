/**
 * One call: a peer connection, its control channel, and the phases a person sees.
 *
 * Invariants: only the other end, this end, or a lost way that does not come back ends a connected
 * call; what happens to the server's connection does not. After `end` nothing is reported any more.
 */
import type { CallPhase } from '../../model'
import type { Candidate, SessionDescription } from '../signaling/messages'
import { type Control, readControl, VERSION } from './messages'
import { Negotiator } from './negotiator'
import { pathOf } from './path'
import { reasons } from './reasons'

export interface CallEvents {
  description(description: SessionDescription): void
  candidate(candidate: Candidate): void
  phase(phase: CallPhase, reason: string | null): void
  path(path: string | null): void
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
  readonly #events: CallEvents
  readonly #who: string
  #phase: CallPhase = 'connecting'
  #heardHello = false
  #wasConnected = false
  #candidates = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #restart: ReturnType<typeof setTimeout> | undefined

  constructor(connection: RTCPeerConnection, way: { readonly polite: boolean; readonly incoming: boolean }, who: string, events: CallEvents) {
    this.#connection = connection
    this.#events = events
    this.#who = who
    this.#negotiator = new Negotiator(connection, way.polite, way.incoming, {
      description: (description) => events.description(description),
      candidate: (candidate) => {
        if (candidate.candidate !== '') this.#candidates++
        events.candidate(candidate)
      },
      failed: () => this.#negotiationFailed(),
    })
    // Both ends make the same channel: when calls cross there is one, not two.
    this.#channel = connection.createDataChannel('ham', { negotiated: true, id: 0 })
    this.#watchChannel()
    connection.ondatachannel = ({ channel }) => events.fileChannel(channel)
    connection.onconnectionstatechange = () => this.#connectionChanged()
    connection.onicegatheringstatechange = () => this.#gatheringChanged()
    this.#wait(CONNECT_WITHIN, () => this.#fail(this.#answered() ? reasons.noWay(who) : reasons.noAnswer(who)))
  }

  get phase(): CallPhase {
    return this.#phase
  }

  /** Whether a description belongs to this call, or to a new one of a reloaded page. */
  continues(description: SessionDescription): boolean {
    const before = this.#connection.remoteDescription
    return before === null || dtlsFingerprint(before.sdp) === dtlsFingerprint(description.sdp)
  }

  receiveDescription(description: SessionDescription, polite?: boolean): void {
    void this.#negotiator.description(description, polite)
  }

  receiveCandidate(candidate: Candidate): void {
    void this.#negotiator.candidate(candidate)
  }

  /** False when the message could not be handed over. */
  send(message: Control): boolean {
    if (this.#channel.readyState !== 'open' || this.#channel.bufferedAmount > MAX_BUFFERED) return false
    this.#channel.send(JSON.stringify(message))
    return true
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
    if (this.#phase === 'connecting') this.#negotiator.repeat()
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
      this.send({ type: 'hello', version: VERSION })
      this.#wait(HELLO_WITHIN, () => this.#fail(reasons.otherVersion(this.#who)))
    }
    this.#channel.onclose = () => this.#finish('ended', reasons.closed(this.#who))
    this.#channel.onmessage = ({ data }) => {
      const message = readControl(data)
      if (message) this.#received(message)
    }
  }

  #received(message: Control): void {
    if (message.type === 'hello') {
      if (this.#heardHello) return
      this.#heardHello = true
      this.#wasConnected = true
      this.#connected()
    } else if (message.type === 'bye') {
      this.#finish('ended', reasons.hungUp(this.#who))
    } else if (this.#heardHello) {
      this.#events.control(message)
    }
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
        if (!this.#wasConnected || this.#phase === 'interrupted') break
        this.#interrupted()
        this.#restart = setTimeout(() => this.restart(), RESTART_AFTER)
        break
      case 'failed':
        if (!this.#wasConnected) {
          this.#fail(reasons.noWay(this.#who))
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

  #gatheringChanged(): void {
    // Only at the start: in the middle of a call the network may be away for a moment.
    const nothing = this.#connection.iceGatheringState === 'complete' && this.#candidates === 0
    if (nothing && !this.#wasConnected) this.#fail(reasons.noCandidates(globalThis.isSecureContext))
  }

  #negotiationFailed(): void {
    if (this.#phase === 'connecting') this.#fail(reasons.otherVersion(this.#who))
  }

  #answered(): boolean {
    return this.#connection.remoteDescription !== null
  }

  #fail(reason: string): void {
    this.#finish('failed', reason)
  }

  #finish(phase: 'failed' | 'ended', reason: string, after = 0): void {
    if (this.#phase === 'failed' || this.#phase === 'ended') return
    clearTimeout(this.#timer)
    clearTimeout(this.#restart)
    const connection = this.#connection
    this.#channel.onopen = this.#channel.onclose = this.#channel.onmessage = null
    connection.ondatachannel = connection.onconnectionstatechange = connection.onicegatheringstatechange = null
    connection.onnegotiationneeded = connection.onicecandidate = null
    if (after > 0) setTimeout(() => connection.close(), after)
    else connection.close()
    this.#enter(phase, reason)
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

/** The key a browser encrypts one call with; it stays for the life of a peer connection. */
function dtlsFingerprint(sdp: string): string | undefined {
  return /^a=fingerprint:(.+?)\s*$/m.exec(sdp)?.[1]?.toLowerCase()
}
