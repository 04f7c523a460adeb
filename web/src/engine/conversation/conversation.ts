/**
 * One conversation: the call of the moment, the texts and the files, as one view for the pages.
 *
 * It outlives its calls. Texts and file offers made before a call is connected wait for it, within a
 * bound; when the call fails they fail with it and say so, and nothing is sent twice.
 */
import type { CallPhase, ConversationView, Entry, Person, TextEntry } from '../../model'
import { randomBytes, toHex, utf8 } from '../bytes'
import { Calls } from '../call/calls'
import { type Control, MAX_TEXT_BYTES } from '../call/messages'
import { reasons } from '../call/reasons'
import type { Heard, Notary } from '../call/statements'
import type { CallStatement, Candidate, SessionDescription } from '../signaling/messages'
import { appended, changedFile, changedText, entryId, isRunning, wireIdOf } from './entries'
import { Files, type MemoryBudget } from './files'

/** What a conversation needs of the engine around it. */
export interface Surroundings {
  readonly memory: MemoryBudget
  readonly notary: Notary
  /** Why no call can be started now, or null. */
  obstacle(person: Person): string | null
  /** Null when this browser has no WebRTC. */
  newConnection(): RTCPeerConnection | null
  /** Whether we are the polite end with this person. */
  polite(id: string): boolean
  /** How statements for this person name them; null while they are away. */
  receiver(person: Person): string | null
  sendDescription(id: string, description: SessionDescription, statement: CallStatement | null): void
  sendCandidate(id: string, candidate: Candidate): void
  /** The person says that their session has a new name. */
  moved(id: string, session: string): void
  changed(view: ConversationView): void
}

/** Texts and offers that wait for the call. */
const MAX_WAITING = 100

export class Conversation {
  readonly #surroundings: Surroundings
  readonly #files: Files
  readonly #calls: Calls
  #view: ConversationView
  #waiting: Control[] = []

  constructor(person: Person, present: boolean, surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#view = {
      peer: person,
      present,
      phase: 'ended',
      since: Date.now(),
      reason: null,
      path: null,
      proof: null,
      notice: null,
      unread: 0,
      entries: [],
    }
    this.#calls = this.#newCalls()
    this.#files = new Files({
      who: () => this.#view.peer.label,
      call: () => this.#calls.call,
      say: (message) => this.#say(message),
      add: (entry) => this.#add(entry),
      change: (id, change) => this.#show({ entries: changedFile(this.#view.entries, id, change) }),
      memory: surroundings.memory,
    })
  }

  get view(): ConversationView {
    return this.#view
  }

  get isLive(): boolean {
    return this.#calls.call !== null
  }

  get isBusy(): boolean {
    return this.#view.entries.some(isRunning)
  }

  /** The list of people changed. */
  about(person: Person, present: boolean): void {
    const left = this.#view.present && !present
    if (person !== this.#view.peer || present !== this.#view.present) this.#show({ peer: person, present })
    if (left) this.#calls.call?.peerLeft()
  }

  start(): void {
    this.#calls.start()
  }

  offered(offer: Heard, polite: boolean): void {
    this.#calls.offered(offer, polite)
  }

  answered(answer: Heard): void {
    this.#calls.answered(answer)
  }

  candidate(candidate: Candidate): void {
    this.#calls.candidate(candidate)
  }

  offerRefused(reason: string): void {
    this.#calls.offerRefused(reason)
  }

  /** We are registered again, perhaps under another name. */
  signalingReturned(session: string): void {
    this.#calls.call?.send({ type: 'moved', session })
    this.#calls.call?.signalingReturned()
  }

  hangUp(): void {
    this.#calls.hangUp(reasons.youHungUp)
  }

  sendText(text: string): void {
    for (const part of inParts(text)) {
      const wireId = toHex(randomBytes(8))
      const id = entryId(true, wireId)
      this.#add({ kind: 'text', id, mine: true, at: Date.now(), text: part, state: 'sending' })
      if (!this.#say({ type: 'text', id: wireId, text: part })) this.#textIs(id, 'failed')
    }
  }

  sendFiles(files: readonly File[]): void {
    for (const file of files) this.#files.offer(file)
  }

  acceptFile(id: string): Promise<void> {
    return this.#files.accept(id)
  }

  cancelFile(id: string): void {
    this.#files.cancel(id)
  }

  markRead(): void {
    if (this.#view.unread > 0) this.#show({ unread: 0 })
  }

  /** The conversation is forgotten, with everything it holds. */
  close(): void {
    this.hangUp()
    for (const entry of this.#view.entries) if (entry.kind === 'file') this.#files.forget(entry)
  }

  #newCalls(): Calls {
    const around = this.#surroundings
    const peer = () => this.#view.peer
    const { id } = peer()
    return new Calls({
      notary: around.notary,
      who: () => peer().label,
      counterpart: () => ({ callsign: peer().callsign, keyId: peer().keyId, receiver: around.receiver(peer()) }),
      polite: () => around.polite(id),
      obstacle: () => around.obstacle(peer()),
      newConnection: () => around.newConnection(),
      sendDescription: (description, statement) => around.sendDescription(id, description, statement),
      sendCandidate: (candidate) => around.sendCandidate(id, candidate),
      phase: (phase, reason) => this.#callPhase(phase, reason),
      path: (path) => this.#show({ path }),
      proof: (proof) => this.#show({ proof }),
      notice: (words) => this.#show({ notice: { at: Date.now(), words } }),
      control: (message) => this.#received(message),
      fileChannel: (channel) => this.#files.channel(channel),
    })
  }

  #callPhase(phase: CallPhase, reason: string | null): void {
    if (phase === 'connecting') this.#show({ proof: null, notice: null })
    this.#phase(phase, reason)
    if (phase === 'connected') this.#deliverWaiting()
    if (phase === 'interrupted') this.#files.interrupted()
    if (phase !== 'failed' && phase !== 'ended') return
    this.#waiting = []
    this.#files.callOver()
    for (const entry of this.#view.entries) {
      if (entry.kind === 'text' && entry.state === 'sending') this.#textIs(entry.id, 'failed')
    }
  }

  #received(message: Control): void {
    switch (message.type) {
      case 'text':
        return this.#textArrived(message.id, message.text)
      case 'received':
        return this.#textIs(entryId(true, message.id), 'delivered')
      case 'moved':
        return this.#surroundings.moved(this.#view.peer.id, message.session)
      default:
        return this.#files.control(message)
    }
  }

  #textArrived(wireId: string, text: string): void {
    const id = entryId(false, wireId)
    const known = this.#view.entries.some((entry) => entry.id === id)
    if (!known) this.#add({ kind: 'text', id, mine: false, at: Date.now(), text, state: 'delivered' })
    this.#calls.call?.send({ type: 'received', id: wireIdOf(id) })
  }

  /** Sends now, or keeps the message for the call that is coming; false when neither is possible. */
  #say(message: Control): boolean {
    if (!this.#calls.call) this.start()
    if (!this.#calls.call) return false
    if (this.#view.phase !== 'connecting') return this.#calls.call.send(message)
    if (this.#waiting.length >= MAX_WAITING) return false
    this.#waiting.push(message)
    return true
  }

  #deliverWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) this.#calls.call?.send(message)
  }

  #add(entry: Entry): void {
    const { entries, dropped } = appended(this.#view.entries, entry)
    this.#show({ entries, unread: this.#view.unread + (entry.mine ? 0 : 1) })
    if (dropped?.kind === 'file') this.#files.forget(dropped)
  }

  #textIs(id: string, state: TextEntry['state']): void {
    this.#show({ entries: changedText(this.#view.entries, id, state) })
  }

  #phase(phase: CallPhase, reason: string | null): void {
    const path = phase === 'connected' ? this.#view.path : null
    this.#show({ phase, reason, path, since: phase === this.#view.phase ? this.#view.since : Date.now() })
  }

  #show(change: Partial<ConversationView>): void {
    this.#view = { ...this.#view, ...change }
    this.#surroundings.changed(this.#view)
  }
}

/** A text of any length in messages of bounded size, no letter torn apart. */
function inParts(text: string): string[] {
  if (utf8(text).length <= MAX_TEXT_BYTES) return text === '' ? [] : [text]
  const parts: string[] = []
  let part = ''
  let size = 0
  for (const letter of text) {
    const bytes = utf8(letter).length
    if (size + bytes > MAX_TEXT_BYTES) {
      parts.push(part)
      part = ''
      size = 0
    }
    part += letter
    size += bytes
  }
  return [...parts, part]
}
