/**
 * Looks for servers in every place this browser can look: those it heard of before, this device, and those the
 * connected server hears. All places at once, each reported as its answers come, all within five seconds.
 *
 * What answers is not proven: an address is opened by the person, and the server proves itself then.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { FindStep, FoundServer } from '../../model-reach'
import type { Info, LocalServers } from '../../wire/http'
import { readEndpoint } from './invitation'
import { type Memory, type Told, toldOf, worth } from './memory'

/** What this part takes from the page. */
export interface Surroundings {
  /** `http://192.168.1.5:8080`. */
  readonly origin: string
  /** The server that we are at: the page's own, or another while that is gone. */
  readonly server: () => string
  readonly memory: Memory
  readonly fetch: (url: string, init: RequestInit) => Promise<Pick<Response, 'ok' | 'json'>>
  readonly now: () => number
}

type Listed = Omit<Told, 'found' | 'verified'> & Partial<Pick<Told, 'found' | 'verified'>>

/** The TCP ports that a server takes, the usual one first (docs/protocol/http.md). */
const PORTS = [8080, 8081, 8082, 3000, 3001, 3002, 8888, 9090]
const HEARD_WITHIN = 1_500
const ANSWER_WITHIN = 3_000
/** Of a crowd the first are asked. */
const MOST_ASKED = 16

export class Finder {
  readonly steps: ReadonlySignal<readonly FindStep[] | null>
  readonly #steps = signal<readonly FindStep[] | null>(null)
  readonly #around: Surroundings
  #turn = 0

  constructor(around: Surroundings) {
    this.#around = around
    this.steps = this.#steps
  }

  /** Begins anew. */
  async find(): Promise<void> {
    const turn = ++this.#turn
    const show = (step: FindStep) => {
      if (turn === this.#turn) this.#steps.value = (this.#steps.value ?? []).map((one) => (one.where === step.where ? step : one))
    }
    this.#steps.value = (['heard', 'known', 'here'] as const).map((where) => ({ where, state: 'looking', servers: [] }))
    await Promise.all([this.#heard(show), this.#known(show), this.#here(show)])
  }

  async #heard(show: (step: FindStep) => void): Promise<void> {
    const heard = await this.#get<LocalServers>(`${this.#around.server()}/api/local-servers`, HEARD_WITHIN)
    if (heard === null) return show({ where: 'heard', state: 'failed', servers: [] })
    const told = toldOf(heard)
    this.#around.memory.remember(worth(told, this.#around.now()))
    await this.#each('heard', told, show)
  }

  async #known(show: (step: FindStep) => void): Promise<void> {
    const now = this.#around.now()
    const known = this.#around.memory.list().flatMap(({ callsign, endpoint, seen }): readonly Listed[] => {
      const place = readEndpoint(endpoint)
      return place === null || endpoint === this.#around.origin ? [] : [{ ...place, callsign, age: Math.max(0, Math.round((now - seen) / 1000)) }]
    })
    await this.#each('known', known, show)
  }

  async #here(show: (step: FindStep) => void): Promise<void> {
    const own = new URL(this.#around.origin)
    const ports = PORTS.filter((port) => !(isLoopback(own.hostname) && own.port === String(port)))
    const found: FoundServer[] = []
    await Promise.all(
      ports.map(async (port) => {
        const endpoint = `http://localhost:${port}`
        const info = await this.#info(endpoint)
        if (info === null) return
        found.push({ callsign: info.callsign, url: `${endpoint}/`, address: `localhost:${port}`, state: 'answers', age: null, found: null, verified: false })
        show({ where: 'here', state: 'looking', servers: [...found] })
      }),
    )
    show({ where: 'here', state: 'done', servers: found })
  }

  /** Asks each, and shows every answer as it comes. */
  async #each(where: FindStep['where'], listed: readonly Listed[], show: (step: FindStep) => void): Promise<void> {
    const servers: FoundServer[] = listed.map(({ callsign, endpoint, address, local, age, found, verified }, index) => ({
      callsign,
      url: `${endpoint}/`,
      address,
      // Nobody beyond this network is called because some server names them.
      state: index < MOST_ASKED && local && this.#mayAsk(endpoint) ? 'asked' : 'unasked',
      age,
      found: found ?? null,
      verified: verified ?? false,
    }))
    show({ where, state: 'looking', servers: [...servers] })
    await Promise.all(
      listed.map(async ({ endpoint }, index) => {
        const server = servers[index]
        if (server?.state !== 'asked') return
        const info = await this.#info(endpoint)
        servers[index] = { ...server, callsign: info?.callsign ?? server.callsign, state: info === null ? 'silent' : 'answers' }
        show({ where, state: 'looking', servers: [...servers] })
      }),
    )
    show({ where, state: 'done', servers })
  }

  /** A secure page may ask secure addresses, and plain ones of its own device only. */
  #mayAsk(endpoint: string): boolean {
    return !(this.#around.origin.startsWith('https:') && endpoint.startsWith('http:') && !isLoopback(new URL(endpoint).hostname))
  }

  async #info(endpoint: string): Promise<Pick<Info, 'callsign'> | null> {
    const info = await this.#get<Info>(`${endpoint}/api/info`, ANSWER_WITHIN)
    return info?.type === 'signaling' ? info : null
  }

  async #get<T>(url: string, within: number): Promise<T | null> {
    try {
      const answer = await this.#around.fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(within) })
      return answer.ok ? ((await answer.json()) as T) : null
    } catch {
      // Nobody there, no way there, or the browser does not let this page ask: a page is not told which.
      return null
    }
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}
