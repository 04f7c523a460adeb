/**
 * Receives one file: never more than was announced, never more in memory than the agreed window on
 * the way to its sink, and nothing is finished before the hash agrees.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { type Bytes, toHex } from '../bytes'
import { readEnd } from '../call/messages'
import { Problem } from '../problem'
import type { Sink } from './sink'
import { CONFIRM_EVERY, WINDOW } from './window'

export interface Received {
  readonly sha256: string
  /** What is held in memory; null when the sink was a file. */
  readonly blob: Blob | null
}

export class Receiver {
  /** Settles once: with the file, or with a `Problem`. */
  readonly done: Promise<Received>
  readonly #size: number
  readonly #sink: Sink
  readonly #confirm: (received: number) => void
  readonly #checking: () => void
  readonly #hash = sha256.create()
  #received = 0
  #written = 0
  #confirmed = 0
  #writing: Promise<void> = Promise.resolve()
  #over = false
  #resolve: (received: Received) => void = () => undefined
  #reject: (problem: Problem) => void = () => undefined

  /** `confirm` tells the sender what has arrived safely; `checking` says that all bytes are here. */
  constructor(size: number, sink: Sink, confirm: (received: number) => void, checking: () => void) {
    this.#size = size
    this.#sink = sink
    this.#confirm = confirm
    this.#checking = checking
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** A message of the file's channel. */
  take(data: unknown): void {
    if (this.#over) return
    if (data instanceof ArrayBuffer) this.#bytes(new Uint8Array(data))
    else this.#end(data)
  }

  /** Gives the file up and throws away what has come. */
  stop(problem: Problem): void {
    if (this.#over) return
    this.#over = true
    this.#reject(problem)
    void this.#writing.then(() => this.#sink.abort()).catch(() => undefined)
  }

  #bytes(chunk: Bytes): void {
    if (chunk.length === 0 || this.#received + chunk.length > this.#size) {
      return this.stop(new Problem('More arrived than was announced, so the file was thrown away. Ask for it to be sent again.'))
    }
    this.#received += chunk.length
    if (this.#received - this.#written > 2 * WINDOW) {
      return this.stop(new Problem('The file came faster than this device can store it, so it was stopped. Ask for it to be sent again.'))
    }
    this.#hash.update(chunk)
    this.#writing = this.#writing.then(() => this.#write(chunk))
  }

  async #write(chunk: Bytes): Promise<void> {
    if (this.#over) return
    try {
      await this.#sink.write(chunk)
    } catch {
      return this.stop(new Problem('The file could not be stored: the disk may be full. Free some space, then ask for it again.'))
    }
    this.#written += chunk.length
    if (this.#written - this.#confirmed >= CONFIRM_EVERY || this.#complete()) {
      this.#confirmed = this.#written
      this.#confirm(this.#written)
    }
  }

  #complete(): boolean {
    return this.#written === this.#size
  }

  #end(data: unknown): void {
    const announced = readEnd(data)
    if (announced === null || this.#received < this.#size) {
      return this.stop(new Problem('The file ended before it was complete. Ask for it to be sent again.'))
    }
    this.#checking()
    const mine = toHex(this.#hash.digest())
    if (mine !== announced) {
      return this.stop(new Problem('The file was damaged on the way: its fingerprint does not match. Ask for it to be sent again.'))
    }
    void this.#writing.then(() => this.#finish(mine))
  }

  async #finish(sha: string): Promise<void> {
    if (this.#over) return
    try {
      const blob = await this.#sink.finish()
      this.#over = true
      this.#resolve({ sha256: sha, blob })
    } catch {
      this.stop(new Problem('The file could not be stored: the disk may be full. Free some space, then ask for it again.'))
    }
  }
}
