/**
 * Perfect negotiation (WebRTC 1.0, 10.7): both ends may offer at any time, and when offers cross, the
 * polite end takes its own back.
 *
 * What comes in is worked on one after the other, so that a candidate never overtakes its description.
 */
import type { Candidate, SessionDescription } from '../signaling/messages'

/** The part of a peer connection that negotiation needs. */
export type Negotiable = Pick<
  RTCPeerConnection,
  | 'signalingState'
  | 'localDescription'
  | 'setLocalDescription'
  | 'setRemoteDescription'
  | 'addIceCandidate'
  | 'onnegotiationneeded'
  | 'onicecandidate'
>

export interface Signals {
  description(description: SessionDescription): void
  candidate(candidate: Candidate): void
  /** A description that this browser cannot use. */
  failed(error: unknown): void
}

export class Negotiator {
  readonly #connection: Negotiable
  readonly #signals: Signals
  #polite: boolean
  /** We were called: the first offer is theirs. */
  #awaitingOffer: boolean
  #makingOffer = false
  #ignoring = false
  #settingAnswer = false
  #work: Promise<void> = Promise.resolve()
  #settled: Promise<void> = Promise.resolve()

  constructor(connection: Negotiable, polite: boolean, incoming: boolean, signals: Signals) {
    this.#connection = connection
    this.#signals = signals
    this.#polite = polite
    this.#awaitingOffer = incoming
    connection.onnegotiationneeded = () => void this.#offer()
    connection.onicecandidate = ({ candidate }) => {
      // Browsers differ in how they mark the end; the wire has one form, an empty candidate.
      if (candidate?.candidate === '') return
      signals.candidate(candidate ? candidate.toJSON() as Candidate : { candidate: '', sdpMid: '0', sdpMLineIndex: 0 })
    }
  }

  /**
   * An offer or an answer came. `polite` is what the server says of us, with offers; `used` is told before
   * the description is answered, and not at all when it is left unused.
   */
  description(description: SessionDescription, polite?: boolean, used?: () => void): Promise<void> {
    this.#settled = this.#queue(async () => {
      if (polite !== undefined) this.#polite = polite
      if (description.type !== 'offer' && description.type !== 'answer') return
      const state = this.#connection.signalingState
      const ready = !this.#makingOffer && (state === 'stable' || this.#settingAnswer)
      const crossing = description.type === 'offer' && !ready
      this.#ignoring = crossing && !this.#polite
      // An answer to an offer we took back, or a second one, has nothing to answer.
      if (this.#ignoring || (description.type === 'answer' && state !== 'have-local-offer')) return
      this.#settingAnswer = description.type === 'answer'
      try {
        await this.#connection.setRemoteDescription({ type: description.type, sdp: description.sdp })
      } finally {
        this.#settingAnswer = false
      }
      this.#awaitingOffer = false
      used?.()
      if (description.type === 'offer') {
        await this.#connection.setLocalDescription()
        this.#send()
      }
    })
    return this.#settled
  }

  candidate(candidate: Candidate): Promise<void> {
    return this.#queue(async () => {
      try {
        await this.#connection.addIceCandidate(candidate as RTCIceCandidateInit)
      } catch {
        // A candidate of an offer that was ignored, or of a kind this browser does not know: others may work.
      }
    })
  }

  /** When the last description that came is used: a browser may open a channel before it says that it took the answer. */
  settled(): Promise<void> {
    return this.#settled
  }

  /** The offer may have been lost with the connection to the server. */
  repeat(): void {
    if (this.#connection.signalingState === 'have-local-offer') this.#send()
  }

  /** The server did not carry our offer: without it, theirs can be taken. */
  takeBack(): Promise<void> {
    return this.#queue(async () => {
      if (this.#connection.signalingState === 'have-local-offer') {
        await this.#connection.setLocalDescription({ type: 'rollback' })
      }
    })
  }

  async #offer(): Promise<void> {
    if (this.#awaitingOffer) return
    try {
      this.#makingOffer = true
      await this.#connection.setLocalDescription()
      this.#send()
    } catch (error) {
      this.#signals.failed(error)
    } finally {
      this.#makingOffer = false
    }
  }

  #send(): void {
    const description = this.#connection.localDescription
    if (description) this.#signals.description({ type: description.type, sdp: description.sdp })
  }

  #queue(job: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(job).catch((error: unknown) => this.#signals.failed(error))
    return this.#work
  }
}
