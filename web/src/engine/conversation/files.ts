/**
 * The file transfers of one conversation.
 *
 * A transfer is a control-channel agreement (offer, accept, stop, progress, result) and one data channel
 * for the bytes, opened by the sender after the accept. Whatever ends a transfer, both ends are told,
 * its channel closes, and its entry says why.
 */
import type { FileEntry } from '../../model'
import { toHex, randomBytes } from '../bytes'
import type { Call } from '../call/call'
import { type Control, MAX_NAME_LETTERS, type StopReason } from '../call/messages'
import { Problem } from '../problem'
import { Receiver } from '../transfer/receiver'
import { Sender } from '../transfer/sender'
import { openSink, type Sink, tooLarge } from '../transfer/sink'
import { Speed, secondsLeft } from '../transfer/speed'
import { entryId, wireIdOf } from './entries'

/** What transfers see of their conversation. */
export interface FilesHost {
  readonly who: () => string
  readonly call: () => Call | null
  /** Sends now or as soon as the call is connected; false when neither will happen. */
  readonly say: (message: Control) => boolean
  readonly add: (entry: FileEntry) => void
  readonly change: (id: string, change: Partial<FileEntry>) => void
  readonly memory: MemoryBudget
}

/** Bytes of received files that the whole page holds in memory. */
export interface MemoryBudget {
  held: number
}

interface Outgoing {
  readonly kind: 'out'
  readonly file: File
  sender: Sender | null
  channel: RTCDataChannel | null
  /** Our hash, once everything was handed over. */
  sha256: string | null
  meter: Meter
}

interface Incoming {
  readonly kind: 'in'
  readonly size: number
  readonly name: string
  readonly mediaType: string
  /** The save dialog is open. */
  choosing: boolean
  sink: Sink | null
  receiver: Receiver | null
  channel: RTCDataChannel | null
  /** Bytes of the memory budget this transfer holds. */
  reserved: number
  meter: Meter
}

type Transfer = Outgoing | Incoming
interface Meter {
  readonly speed: Speed
  shownAt: number
}

/** Offers of the other end that wait for an answer; more are refused. */
const MAX_OFFERS = 32
const SHOW_EVERY = 250

export class Files {
  readonly #host: FilesHost
  /** Transfers that are offered or running, by entry id. */
  readonly #transfers = new Map<string, Transfer>()

  constructor(host: FilesHost) {
    this.#host = host
  }

  offer(file: File): void {
    const wireId = toHex(randomBytes(8))
    const id = entryId(true, wireId)
    const name = file.name.slice(0, MAX_NAME_LETTERS) || 'file'
    const mediaType = file.type.split(';')[0] ?? ''
    this.#transfers.set(id, { kind: 'out', file, sender: null, channel: null, sha256: null, meter: newMeter() })
    this.#host.add(newEntry({ id, mine: true, name, size: file.size, mediaType, tooLarge: null }))
    const offer: Control = { type: 'file-offer', id: wireId, name, size: file.size, mediaType }
    if (!this.#host.say(offer)) this.#end(id, 'failed', 'There is no call to send this file over. Call again, then send it again.')
  }

  /** Must be called from a click: it may open the save dialog. */
  async accept(id: string): Promise<void> {
    const transfer = this.#transfers.get(id)
    if (transfer?.kind !== 'in' || transfer.sink || transfer.choosing) return
    const large = tooLarge(transfer.size, this.#host.memory.held)
    if (large) return this.#host.change(id, { tooLarge: large })
    transfer.choosing = true
    const sink = await openSink(transfer.name, transfer.size, transfer.mediaType).catch(() => undefined)
    transfer.choosing = false
    if (sink === null) return
    if (this.#transfers.get(id) !== transfer) return void sink?.abort()
    if (!sink) return this.#stop(id, 'failed', 'The chosen file could not be opened for writing. Ask for it again and choose another place.')
    transfer.sink = sink
    if (sink.inMemory) {
      transfer.reserved = transfer.size
      this.#host.memory.held += transfer.size
    }
    this.#receive(id, transfer, sink)
  }

  cancel(id: string): void {
    const transfer = this.#transfers.get(id)
    if (!transfer) return
    const refusing = transfer.kind === 'in' && !transfer.sink
    this.#stop(id, refusing ? 'refused' : 'cancelled', refusing ? 'You refused this file.' : 'You stopped this file.')
  }

  control(message: Control): void {
    switch (message.type) {
      case 'file-offer':
        return this.#offered(message)
      case 'file-accept':
        return this.#accepted(entryId(true, message.id))
      case 'file-progress':
        return this.#confirmed(entryId(true, message.id), message.received)
      case 'file-result':
        return this.#arrived(entryId(true, message.id), message.sha256)
      case 'file-stop': {
        const id = entryId(true, message.id)
        return this.#stopped(this.#transfers.has(id) ? id : entryId(false, message.id), message.why)
      }
    }
  }

  /** The other end opened a channel for bytes. */
  channel(channel: RTCDataChannel): void {
    const id = entryId(false, channel.label.replace(/^file:/, ''))
    const transfer = this.#transfers.get(id)
    const receiver = transfer?.kind === 'in' && !transfer.channel ? transfer.receiver : null
    if (transfer?.kind !== 'in' || !receiver) return channel.close()
    transfer.channel = channel
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => receiver.take(data)
    channel.onclose = () =>
      receiver.stop(new Problem('The connection was lost in the middle of the file. Ask for it to be sent again when the call is back.'))
  }

  /** The way is lost for now: nothing moves, and no speed of before is true. */
  interrupted(): void {
    for (const [id, { channel }] of this.#transfers) {
      if (channel) this.#host.change(id, { speed: 0, secondsLeft: null })
    }
  }

  /** The call is over, and with it everything that needed it. */
  callOver(): void {
    for (const id of [...this.#transfers.keys()]) {
      this.#end(id, 'failed', 'The call ended before the file was complete. Call again and repeat it.')
    }
  }

  /** An entry is no longer shown: a received file that it held is let go. */
  forget(entry: FileEntry): void {
    if (this.#transfers.has(entry.id)) this.cancel(entry.id)
    if (entry.url === null) return
    URL.revokeObjectURL(entry.url)
    this.#host.memory.held -= entry.size
  }

  #offered({ id: wireId, name, size, mediaType }: Extract<Control, { type: 'file-offer' }>): void {
    const id = entryId(false, wireId)
    if (this.#transfers.has(id)) return
    const waiting = [...this.#transfers.values()].filter((transfer) => transfer.kind === 'in').length
    if (waiting >= MAX_OFFERS) {
      this.#host.say({ type: 'file-stop', id: wireId, why: 'refused' })
      return
    }
    this.#transfers.set(id, { kind: 'in', size, name, mediaType, choosing: false, sink: null, receiver: null, channel: null, reserved: 0, meter: newMeter() })
    this.#host.add(newEntry({ id, mine: false, name, size, mediaType, tooLarge: tooLarge(size, this.#host.memory.held) }))
  }

  #accepted(id: string): void {
    const transfer = this.#transfers.get(id)
    const call = this.#host.call()
    if (transfer?.kind !== 'out' || transfer.sender || !call) return
    transfer.meter = newMeter()
    transfer.channel = call.openFileChannel(`file:${wireIdOf(id)}`)
    transfer.channel.binaryType = 'arraybuffer'
    transfer.sender = new Sender(transfer.file, transfer.channel, call.maxMessage)
    this.#host.change(id, { state: 'moving' })
    transfer.sender.run().then(
      (sha256) => {
        transfer.sha256 = sha256
        if (this.#transfers.has(id)) this.#host.change(id, { state: 'checking' })
      },
      (error: unknown) => this.#stop(id, 'failed', sentenceOf(error)),
    )
  }

  #confirmed(id: string, received: number): void {
    const transfer = this.#transfers.get(id)
    if (transfer?.kind !== 'out' || !transfer.sender) return
    if (transfer.sender.confirm(received)) this.#progress(id, transfer, transfer.file.size, received)
    else this.#stop(id, 'failed', `${this.#host.who()} confirmed more than was sent. Send the file again.`)
  }

  #arrived(id: string, sha256: string): void {
    const transfer = this.#transfers.get(id)
    if (transfer?.kind !== 'out') return
    if (transfer.sha256 !== sha256) {
      return this.#stop(id, 'failed', `${this.#host.who()} received something else: the fingerprints do not match. Send the file again.`)
    }
    this.#host.change(id, { moved: transfer.file.size, sha256 })
    this.#end(id, 'complete', null)
  }

  #receive(id: string, transfer: Incoming, sink: Sink): void {
    const wireId = wireIdOf(id)
    const receiver = new Receiver(
      transfer.size,
      sink,
      (received) => {
        this.#host.say({ type: 'file-progress', id: wireId, received })
        this.#progress(id, transfer, transfer.size, received)
      },
      () => this.#host.change(id, { state: 'checking' }),
    )
    transfer.receiver = receiver
    transfer.meter = newMeter()
    this.#host.change(id, { state: 'moving' })
    receiver.done.then(
      ({ sha256, blob }) => {
        if (!this.#transfers.has(id)) return
        this.#host.say({ type: 'file-result', id: wireId, sha256 })
        transfer.reserved = 0
        this.#host.change(id, {
          moved: transfer.size,
          sha256,
          url: blob ? URL.createObjectURL(blob) : null,
          savedToDisk: blob === null,
        })
        this.#end(id, 'complete', null)
      },
      (error: unknown) => this.#stop(id, 'failed', sentenceOf(error)),
    )
    if (!this.#host.say({ type: 'file-accept', id: wireId })) this.callOver()
  }

  #stopped(id: string, why: StopReason): void {
    const who = this.#host.who()
    const reason = {
      refused: `${who} did not take this file.`,
      cancelled: `${who} stopped this file.`,
      failed: `${who} could not go on with this file. Ask them what their page says, then try again.`,
    }[why]
    this.#end(id, why, reason)
  }

  /** Ends a transfer from this end and tells the other. */
  #stop(id: string, why: StopReason, reason: string): void {
    if (!this.#transfers.has(id)) return
    this.#host.say({ type: 'file-stop', id: wireIdOf(id), why })
    this.#end(id, why, reason)
  }

  #end(id: string, state: FileEntry['state'], reason: string | null): void {
    const transfer = this.#transfers.get(id)
    if (!transfer) return
    this.#transfers.delete(id)
    const over = new Problem(reason ?? '')
    if (transfer.kind === 'out') transfer.sender?.stop(over)
    else {
      transfer.receiver?.stop(over)
      this.#host.memory.held -= transfer.reserved
    }
    if (transfer.channel) {
      transfer.channel.onmessage = transfer.channel.onclose = null
      // The receiver's last word is on the control channel, so the sender may close the bytes' channel.
      if (transfer.kind === 'out' || state !== 'complete') transfer.channel.close()
    }
    this.#host.change(id, { state, reason, speed: 0, secondsLeft: null })
  }

  #progress(id: string, transfer: Transfer, size: number, moved: number): void {
    const now = Date.now()
    const speed = transfer.meter.speed.note(moved, now)
    if (now - transfer.meter.shownAt < SHOW_EVERY && moved < size) return
    transfer.meter.shownAt = now
    this.#host.change(id, { moved, speed, secondsLeft: secondsLeft(size - moved, speed) })
  }
}

function newMeter(): Meter {
  const speed = new Speed()
  speed.note(0, Date.now())
  return { speed, shownAt: 0 }
}

function newEntry(
  known: Pick<FileEntry, 'id' | 'mine' | 'name' | 'size' | 'mediaType' | 'tooLarge'>,
): FileEntry {
  return {
    kind: 'file',
    ...known,
    at: Date.now(),
    moved: 0,
    speed: 0,
    secondsLeft: null,
    state: 'offered',
    reason: null,
    sha256: null,
    url: null,
    savedToDisk: false,
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Problem ? error.message : 'The file could not be sent over this connection. Send it again.'
}
