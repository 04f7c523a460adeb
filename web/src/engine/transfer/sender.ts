/**
 * Sends one file over its own data channel: bytes in order, then their hash.
 *
 * The file is read piece by piece and never held whole; it waits for the channel's buffer and for the
 * receiver's confirmations.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { toHex } from '../bytes'
import { writeEnd } from '../call/messages'
import { Problem } from '../problem'
import { CHUNK, WINDOW } from './window'

export type OutChannel = Pick<
  RTCDataChannel,
  'readyState' | 'bufferedAmount' | 'bufferedAmountLowThreshold' | 'onbufferedamountlow' | 'onopen' | 'onclose' | 'close'
> & { send(data: ArrayBuffer | string): void }

const PIECE = 1024 * 1024
const BUFFER_HIGH = 1024 * 1024
const BUFFER_LOW = 256 * 1024

export class Sender {
  readonly #file: Blob
  readonly #channel: OutChannel
  readonly #chunk: number
  #sent = 0
  #confirmed = 0
  #stopped: Problem | null = null
  #wake = (): void => undefined

  constructor(file: Blob, channel: OutChannel, maxMessage: number) {
    this.#file = file
    this.#channel = channel
    this.#chunk = Math.max(1, Math.min(CHUNK, maxMessage))
    channel.bufferedAmountLowThreshold = BUFFER_LOW
    channel.onbufferedamountlow = () => this.#wake()
    channel.onopen = () => this.#wake()
    channel.onclose = () => this.stop(new Problem('The connection was lost in the middle of the file. Send it again when the call is back.'))
  }

  /** Resolves with the hash once everything has been handed over; rejects with a `Problem`. */
  async run(): Promise<string> {
    const hash = sha256.create()
    while (this.#sent < this.#file.size) {
      const piece = await this.#read(this.#sent)
      hash.update(piece)
      for (let at = 0; at < piece.length; at += this.#chunk) {
        await this.#room()
        const chunk = piece.slice(at, at + this.#chunk)
        this.#channel.send(chunk.buffer)
        this.#sent += chunk.length
      }
    }
    await this.#room()
    const sha = toHex(hash.digest())
    this.#channel.send(writeEnd(sha))
    return sha
  }

  /** The receiver has so many bytes. False when it claims more than was sent. */
  confirm(received: number): boolean {
    if (received > this.#sent) return false
    this.#confirmed = Math.max(this.#confirmed, received)
    this.#wake()
    return true
  }

  stop(problem: Problem): void {
    this.#stopped ??= problem
    this.#channel.onbufferedamountlow = this.#channel.onopen = this.#channel.onclose = null
    this.#channel.close()
    this.#wake()
  }

  async #read(from: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return new Uint8Array(await this.#file.slice(from, from + PIECE).arrayBuffer())
    } catch {
      throw new Problem('The file cannot be read any more: it was changed or moved since it was chosen. Choose it again.')
    }
  }

  async #room(): Promise<void> {
    for (;;) {
      if (this.#stopped) throw this.#stopped
      const channel = this.#channel
      const free = channel.bufferedAmount < BUFFER_HIGH && this.#sent - this.#confirmed < WINDOW
      if (channel.readyState === 'open' && free) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
