/**
 * Hears what the server we are logged in to says of keys that were withdrawn, changed or distrusted, when
 * somebody is to be judged and it was long ago. Without an answer what was heard before counts.
 */
import type { Store } from '../trust/store'
import type { Client } from './client'
import type * as Wire from './wire'

const AGAIN_AFTER = 10 * 60_000
/** When there was no answer, or none to be believed. */
const RETRY_AFTER = 60_000

export class Hearing {
  readonly #client: Client
  readonly #store: Store
  #distrusted: readonly string[] = []
  #askAgainAt = 0
  #hearing: Promise<void> | null = null

  constructor(client: Client, store: Store) {
    this.#client = client
    this.#store = store
  }

  /** The identities that the owner of this server blacklisted; what it tells of withdrawn keys is kept meanwhile. */
  async distrusted(server: string | null): Promise<readonly string[]> {
    if (server !== null && Date.now() >= this.#askAgainAt) {
      this.#hearing ??= this.#hear(server).finally(() => {
        this.#hearing = null
      })
      await this.#hearing.catch(() => undefined)
    }
    return this.#distrusted
  }

  async #hear(server: string): Promise<void> {
    this.#askAgainAt = Date.now() + RETRY_AFTER
    // Whose bundle it is matters: only of a server that was accepted is anything believed.
    if (!(await this.#store.isPinned(server))) return
    const [bundle, { certificate }, { readBundle }] = await Promise.all([
      this.#client.get<Wire.Bundle>('/api/trust-bundle'),
      this.#client.get<Wire.Detail>(`/api/certificates/${server}`),
      import('./bundle'),
    ])
    const told = await readBundle(bundle, server, certificate)
    if (!told) return
    await this.#store.addStatements(told)
    this.#distrusted = told.distrusted
    this.#askAgainAt = Date.now() + AGAIN_AFTER
  }
}
