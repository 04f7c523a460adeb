/** The other servers on this network, asked for while somebody looks at them and the page is in view. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { NearbyServer } from '../model'
import type { Api } from './api'

const EVERY = 5_000

export class Nearby {
  readonly servers: ReadonlySignal<readonly NearbyServer[] | null>
  readonly #servers = signal<readonly NearbyServer[] | null>(null)
  readonly #api: Pick<Api, 'localServers'>
  readonly #visible: () => boolean

  constructor(api: Pick<Api, 'localServers'>, visible: () => boolean) {
    this.servers = this.#servers
    this.#api = api
    this.#visible = visible
  }

  /** Asks now and again, until the returned function is called. */
  watch(): () => void {
    const timer = setInterval(() => {
      if (this.#visible()) void this.#ask()
    }, EVERY)
    void this.#ask()
    return () => clearInterval(timer)
  }

  async #ask(): Promise<void> {
    try {
      const { servers } = await this.#api.localServers()
      this.#servers.value = servers.map(({ callsign, endpoint, age }) => ({ callsign, endpoint, age }))
    } catch {
      // The session says what is wrong; what was known stays.
    }
  }
}
