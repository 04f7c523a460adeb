/**
 * Another server while ours is gone.
 *
 * The server that the page came from is home. Once the session has been out for a while and home does not answer,
 * all that were heard of are asked at once, and the first that answers is gone to: the one that was heard of last. Home
 * is asked again while we are away, and gone back to as soon as it answers.
 *
 * Invariant: a server that this browser does not know, or that refuses us, is left at once and passed over until
 * we are home again.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { Refuge } from '../../model-reach'
import type { Info, LocalServers } from '../../wire/http'
import type { Session } from '../signaling/session'
import { type Memory, toldOf, worth } from './memory'

export interface FailoverHost {
  /** `http://192.168.1.5:8080`. */
  readonly home: string
  readonly memory: Memory
  readonly isVisible: () => boolean
  /** Rejects where it does not answer or the browser does not let this page ask. */
  readonly get: <T>(url: string, within: number) => Promise<T>
  /** Whose server we are at. */
  readonly owner: () => string | null
  /** Makes the session one with the server at this address. */
  readonly move: (endpoint: string) => void
}

/** A server that restarts is back sooner. */
const PATIENCE = 6_000
const ANSWER_WITHIN = 3_000
const LOOK_HOME_EVERY = 30_000
const LISTEN_EVERY = 60_000
const MOST_ASKED = 16

type Step = Session['step']

export class Failover {
  readonly refuge: ReadonlySignal<Refuge | null>
  readonly #refuge = signal<Refuge | null>(null)
  readonly #host: FailoverHost
  readonly #passedOver = new Set<string>()
  #patience: ReturnType<typeof setTimeout> | undefined
  #looking: ReturnType<typeof setInterval> | undefined
  #listening: ReturnType<typeof setInterval> | undefined
  #in = false

  constructor(host: FailoverHost) {
    this.#host = host
    this.refuge = this.#refuge
  }

  /** Where the session stands. */
  follow(step: Step): void {
    const was = this.#in
    this.#in = step === 'connected'
    if (this.#in) {
      if (!was) this.#arrived()
      return
    }
    clearInterval(this.#listening)
    const refused = step === 'unknown-server' || step === 'refused'
    const refuge = this.#refuge.peek()
    if (!refused) this.#wait()
    // At home that is for the person to decide.
    else if (refuge === null) this.#stopWaiting()
    else {
      this.#passedOver.add(refuge.endpoint)
      void this.#seek()
    }
  }

  #arrived(): void {
    this.#stopWaiting()
    clearInterval(this.#listening)
    this.#listening = setInterval(() => {
      if (this.#host.isVisible()) void this.#listen()
    }, LISTEN_EVERY)
    void this.#listen()
    if (this.#refuge.peek() === null) this.#passedOver.clear()
  }

  /** Remembers whom the server hears. */
  async #listen(): Promise<void> {
    const { memory, get } = this.#host
    const told = toldOf(await get<LocalServers>(`${this.#here}/api/local-servers`, ANSWER_WITHIN).catch(() => ({ servers: [] })))
    if (told.length > 0) memory.remember(worth(told, Date.now()))
  }

  #wait(): void {
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined
      void this.#seek()
    }, PATIENCE)
  }

  #stopWaiting(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  async #seek(): Promise<void> {
    const { home } = this.#host
    const here = this.#here
    const next = (await this.#answers(home)) ? home : ((await this.#firstOpen()) ?? home)
    if (this.#in || here !== this.#here) return
    if (next !== here) this.#go(next)
    // The session goes on trying here.
    else this.#wait()
  }

  #go(endpoint: string): void {
    const { home, owner, move } = this.#host
    this.#stopWaiting()
    this.#refuge.value = endpoint === home ? null : { endpoint, home: this.#refuge.peek()?.home ?? owner() }
    clearInterval(this.#looking)
    if (endpoint !== home) this.#looking = setInterval(() => void this.#lookHome(), LOOK_HOME_EVERY)
    move(endpoint)
  }

  async #lookHome(): Promise<void> {
    const away = this.#refuge.peek()
    if ((await this.#answers(this.#host.home)) && away !== null && this.#refuge.peek() === away) this.#go(this.#host.home)
  }

  get #here(): string {
    return this.#refuge.peek()?.endpoint ?? this.#host.home
  }

  /** The addresses that a page like this may reach, in the order in which they are tried. */
  #others(): readonly string[] {
    const { home, memory } = this.#host
    const secure = home.startsWith('https:')
    const endpoints = memory.list().map(({ endpoint }) => (secure ? endpoint.replace(/^http:/, 'https:') : endpoint))
    return [...new Set(endpoints)].filter((endpoint) => endpoint !== home && !this.#passedOver.has(endpoint)).slice(0, MOST_ASKED)
  }

  async #firstOpen(): Promise<string | null> {
    const others = this.#others()
    const answers = await Promise.all(others.map((endpoint) => this.#info(endpoint)))
    return others.find((_, index) => answers[index]?.type === 'signaling' && answers[index].state === 'active') ?? null
  }

  async #answers(endpoint: string): Promise<boolean> {
    return (await this.#info(endpoint)) !== null
  }

  #info(endpoint: string): Promise<Pick<Info, 'type' | 'state'> | null> {
    return this.#host.get<Pick<Info, 'type' | 'state'>>(`${endpoint}/api/info`, ANSWER_WITHIN).catch(() => null)
  }
}
