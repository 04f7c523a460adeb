/**
 * One conversation: the call of the moment, the texts and the files, as one view for the pages.
 *
 * It outlives its calls. Texts and file offers made before a call is connected wait for it, within a
 * bound; when the call fails they fail with it and say so, and nothing is sent twice.
 */
import type { CallPhase, ConversationView, Entry, Person, TextEntry } from '../../model'
import { randomBytes, toHex, utf8 } from '../bytes'
import { Call } from '../call/call'
import { type Control, MAX_TEXT_BYTES } from '../call/messages'
import { reasons } from '../call/reasons'
import type { Candidate, SessionDescription } from '../signaling/messages'
import { appended, changedFile, changedText, entryId, isRunning, wireIdOf } from './entries'
import { Files, type MemoryBudget } from './files'

/** What a conversation needs of the engine around it. */
export interface Surroundings {
  readonly memory: MemoryBudget
  /** Why no call can be started now, or null. */
  obstacle(person: Person): string | null
  /** Null when this browser has no WebRTC. */
  newConnection(): RTCPeerConnection | null
  /** Whether we are the polite end with this person. */
  polite(id: string): boolean
  sendDescription(id: string, description: SessionDescription): void
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
  #view: ConversationView
  #call: Call | null = null
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
      unread: 0,
      entries: [],
    }
    this.#files = new Files({
      who: () => this.#view.peer.label,
      call: () => this.#call,
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
    return this.#call !== null
  }

  get isBusy(): boolean {
    return this.#view.entries.some(isRunning)
  }

  /** The list of people changed. */
  about(person: Person, present: boolean): void {
    const left = this.#view.present && !present
    if (person !== this.#view.peer || present !== this.#view.present) this.#show({ peer: person, present })
    if (left) this.#call?.peerLeft()
  }

  start(): void {
    if (this.#call) {
      if (this.#view.phase === 'interrupted') this.#call.restart()
      return
    }
    const obstacle = this.#surroundings.obstacle(this.#view.peer)
    if (obstacle) return this.#phase('failed', obstacle)
    this.#newCall({ polite: this.#surroundings.polite(this.#view.peer.id), incoming: false })
  }

  offered(offer: SessionDescription, polite: boolean): void {
    if (this.#call && !this.#call.continues(offer)) this.#leaveCall()
    if (!this.#call) this.#newCall({ polite, incoming: true })
    this.#call?.receiveDescription(offer, polite)
  }

  answered(answer: SessionDescription): void {
    if (!this.#call) return
    if (this.#call.continues(answer)) return this.#call.receiveDescription(answer)
    // They left the call that we were trying to save, and took our offer for a new one.
    this.#leaveCall()
    if (this.#surroundings.obstacle(this.#view.peer) === null) this.start()
  }

  candidate(candidate: Candidate): void {
    this.#call?.receiveCandidate(candidate)
  }

  offerRefused(reason: string): void {
    this.#call?.offerRefused(reason)
  }

  /** We are registered again, perhaps under another name. */
  signalingReturned(session: string): void {
    this.#call?.send({ type: 'moved', session })
    this.#call?.signalingReturned()
  }

  hangUp(): void {
    this.#call?.end(reasons.youHungUp)
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

  #newCall(way: { polite: boolean; incoming: boolean }): void {
    const connection = this.#surroundings.newConnection()
    if (!connection) return this.#phase('failed', reasons.noWebRtc)
    const { id, label } = this.#view.peer
    // Events of a call that was replaced are not ours any more.
    const current = (action: () => void) => {
      if (this.#call === call) action()
    }
    const call: Call = new Call(connection, way, label, {
      description: (description) => current(() => this.#surroundings.sendDescription(id, description)),
      candidate: (candidate) => current(() => this.#surroundings.sendCandidate(id, candidate)),
      phase: (phase, reason) => current(() => this.#callPhase(phase, reason)),
      path: (path) => current(() => this.#show({ path })),
      control: (message) => current(() => this.#received(message)),
      fileChannel: (channel) => current(() => this.#files.channel(channel)),
    })
    this.#call = call
    this.#phase('connecting', null)
  }

  /** Their page was reloaded: the call before is gone without a word. */
  #leaveCall(): void {
    this.#call?.end(reasons.closed(this.#view.peer.label))
  }

  #callPhase(phase: CallPhase, reason: string | null): void {
    const over = phase === 'failed' || phase === 'ended'
    if (over) this.#call = null
    this.#phase(phase, reason)
    if (phase === 'connected') this.#deliverWaiting()
    if (phase === 'interrupted') this.#files.interrupted()
    if (!over) return
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
    this.#call?.send({ type: 'received', id: wireIdOf(id) })
  }

  /** Sends now, or keeps the message for the call that is coming; false when neither is possible. */
  #say(message: Control): boolean {
    if (!this.#call) this.start()
    if (!this.#call) return false
    if (this.#view.phase !== 'connecting') return this.#call.send(message)
    if (this.#waiting.length >= MAX_WAITING) return false
    this.#waiting.push(message)
    return true
  }

  #deliverWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) this.#call?.send(message)
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
