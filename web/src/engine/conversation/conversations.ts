/**
 * All conversations of the page's life: who calls whom finds the right one here, and their number is
 * bounded, whoever calls.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { ConversationView, Person } from '../../model'
import { reasons } from '../call/reasons'
import type { Heard } from '../call/statements'
import { Conversation, type Surroundings } from './conversation'

const MAX_CONVERSATIONS = 200
/** Browsers take many more, phones do not. */
const MAX_LIVE = 32

export class Conversations {
  readonly views: ReadonlySignal<ReadonlyMap<string, ConversationView>>
  readonly #views = signal<ReadonlyMap<string, ConversationView>>(new Map())
  readonly #conversations = new Map<string, Conversation>()
  readonly #surroundings: Surroundings

  constructor(surroundings: Omit<Surroundings, 'changed' | 'memory'>) {
    this.views = this.#views
    this.#surroundings = {
      ...surroundings,
      memory: { held: 0 },
      obstacle: (person) => (this.#live() >= MAX_LIVE ? reasons.tooMany : surroundings.obstacle(person)),
      changed: (view) => this.#changed(view),
    }
  }

  get(id: string): Conversation | null {
    return this.#conversations.get(id) ?? null
  }

  /** The conversation with this person, a new one if there was none. */
  with(person: Person): Conversation {
    const known = this.#conversations.get(person.id)
    if (known) return known
    this.#makeRoom()
    const fresh = new Conversation(person, true, this.#surroundings)
    this.#conversations.set(person.id, fresh)
    this.#changed(fresh.view)
    return fresh
  }

  /** Somebody calls. Over the bound they are not answered. */
  offered(person: Person, offer: Heard, polite: boolean): void {
    if (!this.get(person.id)?.isLive && this.#live() >= MAX_LIVE) return
    this.with(person).offered(offer, polite)
  }

  /** The list of people changed; `find` tells who an id is now, and whether they are here. */
  refresh(find: (id: string) => { person: Person; present: boolean } | null): void {
    for (const [id, conversation] of this.#conversations) {
      const now = find(id)
      conversation.about(now?.person ?? conversation.view.peer, now?.present ?? false)
    }
  }

  signalingReturned(session: string): void {
    for (const conversation of this.#conversations.values()) conversation.signalingReturned(session)
  }

  /** Leaving the page now would break off a transfer. */
  get isBusy(): boolean {
    return [...this.#conversations.values()].some((conversation) => conversation.isBusy)
  }

  hangUpAll(): void {
    for (const conversation of this.#conversations.values()) conversation.hangUp()
  }

  #live(): number {
    return [...this.#conversations.values()].filter((conversation) => conversation.isLive).length
  }

  #makeRoom(): void {
    if (this.#conversations.size < MAX_CONVERSATIONS) return
    for (const [id, conversation] of this.#conversations) {
      if (conversation.isLive) continue
      this.#conversations.delete(id)
      conversation.close()
      const views = new Map(this.#views.value)
      views.delete(id)
      this.#views.value = views
      return
    }
  }

  #changed(view: ConversationView): void {
    if (!this.#conversations.has(view.peer.id)) return
    this.#views.value = new Map(this.#views.value).set(view.peer.id, view)
  }
}
