/**
 * Stand-ins for a browser's WebRTC, for tests: peer connections that negotiate and connect as real ones
 * do, without a network, and data channels with a buffer that drains step by step. And a notary whose
 * signatures take no time.
 */
import type { PathStep } from '../model'
import { sha256Hex, utf8 } from './bytes'
import type { Notary, Signatory, Signer } from './call/statements'

let count = 0

/** Everything that would take time on a network waits here until the test lets it happen. */
export class Network {
  readonly #tasks: (() => void)[] = []
  /** Cables are cut: nothing arrives. */
  cut = false

  later(task: () => void): void {
    this.#tasks.push(task)
  }

  /** Lets happen what waits, and what follows from it, until nothing is left or `until` holds. */
  async settle(until: () => boolean = () => false): Promise<void> {
    for (let idle = 0; idle < 20; ) {
      if (until()) return
      const task = this.#tasks.shift()
      idle = task ? 0 : idle + 1
      task?.()
      // Blobs are read and streams written by the platform's own queue, not by promises alone.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

export class FakeChannel extends EventTarget {
  readonly label: string
  readyState: RTCDataChannelState = 'connecting'
  bufferedAmount = 0
  mostBuffered = 0
  bufferedAmountLowThreshold = 0
  binaryType: BinaryType = 'arraybuffer'
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onbufferedamountlow: (() => void) | null = null
  other: FakeChannel | null = null
  /** Lets a test change or drop what is sent. */
  tamper: (data: string | ArrayBuffer) => string | ArrayBuffer | null = (data) => data
  readonly #network: Network

  constructor(network: Network, label: string) {
    super()
    this.#network = network
    this.label = label
  }

  send(data: string | ArrayBuffer): void {
    if (this.readyState !== 'open') throw new Error('the channel is not open')
    const size = typeof data === 'string' ? data.length : data.byteLength
    this.bufferedAmount += size
    this.mostBuffered = Math.max(this.mostBuffered, this.bufferedAmount)
    this.#network.later(() => {
      const before = this.bufferedAmount
      this.bufferedAmount -= size
      const arrived = this.tamper(data)
      if (arrived !== null && !this.#network.cut) this.other?.onmessage?.({ data: arrived })
      if (before > this.bufferedAmountLowThreshold && this.bufferedAmount <= this.bufferedAmountLowThreshold) {
        this.onbufferedamountlow?.()
      }
    })
  }

  open(): void {
    if (this.readyState !== 'connecting') return
    this.readyState = 'open'
    this.onopen?.()
  }

  close(): void {
    if (this.readyState === 'closed') return
    this.readyState = 'closed'
    this.#network.later(() => {
      this.onclose?.()
      if (!this.#network.cut) this.other?.close()
    })
  }
}

export function channelPair(network: Network): [FakeChannel, FakeChannel] {
  const pair: [FakeChannel, FakeChannel] = [new FakeChannel(network, 'file:x'), new FakeChannel(network, 'file:x')]
  connectChannels(...pair)
  return pair
}

function connectChannels(a: FakeChannel, b: FakeChannel): void {
  a.other = b
  b.other = a
  a.open()
  b.open()
}

/** Descriptions name the connection that made them, which stands for its DTLS key and its address. */
export class FakeConnection {
  static readonly byName = new Map<string, FakeConnection>()
  readonly name = `c${++count}`
  signalingState: RTCSignalingState = 'stable'
  connectionState: RTCPeerConnectionState = 'new'
  iceGatheringState: RTCIceGatheringState = 'new'
  localDescription: RTCSessionDescriptionInit | null = null
  remoteDescription: { type: string; sdp: string } | null = null
  onnegotiationneeded: (() => void) | null = null
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null
  ondatachannel: ((event: { channel: FakeChannel }) => void) | null = null
  onconnectionstatechange: (() => void) | null = null
  onicegatheringstatechange: (() => void) | null = null
  readonly sctp = null
  /** Finds no address of its own. */
  blind = false
  /** Connects, by what it hears on the network, before it says that it took an answer: then `sayTaken` does. */
  saysLate = false
  sayTaken: () => void = () => undefined
  restarts = 0
  readonly #network: Network
  readonly #channels: { channel: FakeChannel; id: number | null }[] = []
  #candidates = 0
  #generation = 0
  #negotiationIsNeeded = false

  constructor(network: Network) {
    this.#network = network
    FakeConnection.byName.set(this.name, this)
  }

  createDataChannel(label: string, options: { negotiated?: boolean; id?: number } = {}): FakeChannel {
    const channel = new FakeChannel(this.#network, label)
    const first = this.#channels.length === 0
    this.#channels.push({ channel, id: options.negotiated ? (options.id ?? 0) : null })
    if (first) this.#needNegotiation()
    else this.#announce(channel)
    return channel
  }

  restartIce(): void {
    this.restarts++
    this.#needNegotiation()
  }

  async setLocalDescription(description?: { type: string }): Promise<void> {
    await Promise.resolve()
    if (description?.type === 'rollback') {
      this.signalingState = 'stable'
      return
    }
    this.#negotiationIsNeeded = false
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer'
    this.signalingState = type === 'answer' ? 'stable' : 'have-local-offer'
    this.localDescription = { type, sdp: `v=0\r\na=fingerprint:sha-256 ${this.name}\r\na=gen:${++this.#generation}\r\n` }
    this.#network.later(() => this.#gather())
  }

  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve()
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error('wrong state')
    const before = this.remoteDescription
    if (before && nameIn(before.sdp) !== nameIn(description.sdp)) throw new Error('another DTLS key')
    this.remoteDescription = description
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable'
    this.#network.later(() => this.#tryConnect())
    if (this.saysLate) {
      await new Promise<void>((taken) => {
        this.sayTaken = taken
      })
    }
  }

  async addIceCandidate(candidate: { candidate: string }): Promise<void> {
    if (candidate.candidate !== '') this.#candidates++
    this.#network.later(() => this.#tryConnect())
  }

  async getStats(): Promise<Map<string, object>> {
    return new Map([
      ['T', { id: 'T', type: 'transport', selectedCandidatePairId: 'P' }],
      ['P', { id: 'P', type: 'candidate-pair', remoteCandidateId: 'R' }],
      ['R', { id: 'R', type: 'remote-candidate', candidateType: 'host', address: '192.168.1.23' }],
    ])
  }

  close(): void {
    this.signalingState = 'closed'
    for (const { channel } of this.#channels) channel.close()
  }

  /** The way is lost, or back. */
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }

  #other(): FakeConnection | undefined {
    return FakeConnection.byName.get(nameIn(this.remoteDescription?.sdp ?? '') ?? '')
  }

  #needNegotiation(): void {
    this.#negotiationIsNeeded = true
    this.#network.later(() => {
      if (this.#negotiationIsNeeded && this.signalingState === 'stable') this.onnegotiationneeded?.()
    })
  }

  #gather(): void {
    if (!this.blind) {
      const candidate = { candidate: `candidate:${this.name}`, sdpMid: '0', sdpMLineIndex: 0 }
      this.onicecandidate?.({ candidate: { ...candidate, toJSON: () => candidate } })
    }
    this.iceGatheringState = 'complete'
    this.onicecandidate?.({ candidate: null })
    this.onicegatheringstatechange?.()
  }

  #tryConnect(): void {
    const other = this.#other()
    const ready = (one: FakeConnection) => one.signalingState === 'stable' && (one.#candidates > 0 || one.saysLate)
    if (this.#network.cut || !other || other.#other() !== this || !ready(this) || !ready(other)) return
    for (const one of [this, other]) if (one.connectionState !== 'connected') one.become('connected')
    for (const { channel, id } of this.#channels) {
      const peer = id === null ? undefined : other.#channels.find((entry) => entry.id === id)
      if (peer && channel.readyState === 'connecting') connectChannels(channel, peer.channel)
    }
  }

  #announce(channel: FakeChannel): void {
    this.#network.later(() => {
      const other = this.#other()
      if (!other) return
      const theirs = new FakeChannel(this.#network, channel.label)
      other.#channels.push({ channel: theirs, id: null })
      theirs.other = channel
      theirs.readyState = 'open'
      other.ondatachannel?.({ channel: theirs })
      channel.other = theirs
      channel.open()
    })
  }

  last(): FakeChannel | undefined {
    return this.#channels.at(-1)?.channel
  }
}

/** Signs as an operator, or as a guest does not. Its certificates are callsigns. */
export class FakeNotary implements Notary {
  canCheck = true
  readonly #name: string
  readonly #callsign: string | null

  /** `name` is the session's; a guest has no callsign. */
  constructor(name: string, callsign: string | null) {
    this.#name = name
    this.#callsign = callsign
  }

  isUs(receiver: string): boolean {
    return receiver === (this.#callsign === null ? `guest:${this.#name}` : fakeKey(this.#callsign))
  }

  signer(): Signer | null {
    const callsign = this.#callsign
    return callsign === null ? null : { callsign, fingerprint: fakeKey(callsign), sign: async (text) => signature(callsign, text) }
  }

  async signatory([callsign]: readonly string[]): Promise<Signatory | null> {
    if (callsign === undefined) return null
    const fingerprint = fakeKey(callsign)
    const step: PathStep = { callsign, server: false, fingerprint }
    return {
      callsign,
      fingerprint,
      keyId: fingerprint,
      proof: { kind: 'proven', voucher: 'root', path: [step] },
      verify: async (text, given) => given === signature(callsign, text),
    }
  }
}

/** A key id, and fingerprint, made of a callsign. */
export function fakeKey(callsign: string): string {
  return sha256Hex(utf8(callsign))
}

function signature(callsign: string, text: string): string {
  return sha256Hex(utf8(`the key of ${callsign}\n${text}`))
}

function nameIn(sdp: string): string | undefined {
  return /a=fingerprint:sha-256 (\S+)/.exec(sdp)?.[1]
}
