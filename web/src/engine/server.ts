/**
 * What the server says of itself, asked for moderately: often while it waits for its owner, seldom
 * later, not at all while nobody looks.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { ServerView } from '../model'
import type { Api, Info } from './api'

const WHILE_UNCLAIMED = 5_000
const LATER = 60_000

export class Server {
  readonly view: ReadonlySignal<ServerView>
  readonly #view = signal<ServerView>({
    state: 'unknown',
    owner: null,
    ownerName: null,
    ownerGrid: null,
    version: '',
    fingerprint: null,
    addresses: [],
    local: false,
    secure: globalThis.isSecureContext,
    secureAddress: null,
    radio: null,
    guestCalls: false,
  })
  readonly #api: Pick<Api, 'info'>
  readonly #visible: () => boolean
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: Pick<Api, 'info'>, visible: () => boolean) {
    this.view = this.#view
    this.#api = api
    this.#visible = visible
  }

  /** Asks now, and again later. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      this.#show(await this.#api.info())
    } catch {
      // The session says what is wrong; what was known stays.
    }
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    // Coming back into view asks again.
    if (!this.#visible()) return
    const settled = this.#view.value.state === 'claimed' || this.#view.value.state === 'active'
    this.#timer = setTimeout(() => void this.refresh(), settled ? LATER : WHILE_UNCLAIMED)
  }

  #show(info: Info): void {
    const next: ServerView = {
      state: info.state,
      owner: info.callsign,
      ownerName: info.station?.name ?? null,
      ownerGrid: info.station?.grid ?? null,
      version: info.version,
      fingerprint: info.certFingerprint,
      addresses: info.addresses,
      local: info.local,
      secure: globalThis.isSecureContext,
      secureAddress: info.secure,
      radio: info.zone.zone === 'part97' ? info.zone.reason : null,
      guestCalls: info.guestCalls,
    }
    // The same answer again is not a change: pages would be drawn anew for nothing.
    if (JSON.stringify(next) !== JSON.stringify(this.#view.value)) this.#view.value = next
  }
}
