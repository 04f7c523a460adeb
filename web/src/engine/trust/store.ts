/**
 * The browser's database: the identity of this origin, and the servers it has accepted.
 *
 * Loaded at start, so it holds no cryptography of its own. Where a browser forbids storage (some
 * private windows), everything works for the life of the page.
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { StoredIdentity } from './identity'

interface Schema extends DBSchema {
  identity: { key: 'mine'; value: StoredIdentity }
  servers: { key: string; value: { readonly fingerprint: string; readonly since: number } }
}

export interface Store {
  identity(): Promise<StoredIdentity | null>
  keepIdentity(identity: StoredIdentity): Promise<void>
  forgetIdentity(): Promise<void>
  isPinned(fingerprint: string): Promise<boolean>
  pin(fingerprint: string): Promise<void>
}

export function openStore(): Store {
  const database = openDB<Schema>('ham-server', 1, {
    upgrade(fresh) {
      fresh.createObjectStore('identity')
      fresh.createObjectStore('servers', { keyPath: 'fingerprint' })
    },
  })
  const memory = new MemoryStore()
  const chosen: Promise<Store> = database.then((db) => new DatabaseStore(db), () => memory)
  return {
    identity: async () => (await chosen).identity(),
    keepIdentity: async (identity) => (await chosen).keepIdentity(identity),
    forgetIdentity: async () => (await chosen).forgetIdentity(),
    isPinned: async (fingerprint) => (await chosen).isPinned(fingerprint),
    pin: async (fingerprint) => (await chosen).pin(fingerprint),
  }
}

class DatabaseStore implements Store {
  readonly #database: IDBPDatabase<Schema>

  constructor(database: IDBPDatabase<Schema>) {
    this.#database = database
  }

  async identity(): Promise<StoredIdentity | null> {
    return (await this.#database.get('identity', 'mine')) ?? null
  }

  async keepIdentity({ certificate, chain, privateKey, backedUp }: StoredIdentity): Promise<void> {
    // Member by member: an identity in use also holds the exportable key, which is never stored.
    await this.#database.put('identity', { certificate, chain, privateKey, backedUp }, 'mine')
  }

  async forgetIdentity(): Promise<void> {
    await this.#database.delete('identity', 'mine')
  }

  async isPinned(fingerprint: string): Promise<boolean> {
    return (await this.#database.getKey('servers', fingerprint)) !== undefined
  }

  async pin(fingerprint: string): Promise<void> {
    await this.#database.put('servers', { fingerprint, since: Date.now() })
  }
}

/** For tests and for browsers without storage. */
export class MemoryStore implements Store {
  #identity: StoredIdentity | null = null
  readonly #pins = new Set<string>()

  async identity(): Promise<StoredIdentity | null> {
    return this.#identity
  }

  async keepIdentity({ certificate, chain, privateKey, backedUp }: StoredIdentity): Promise<void> {
    this.#identity = { certificate, chain, privateKey, backedUp }
  }

  async forgetIdentity(): Promise<void> {
    this.#identity = null
  }

  async isPinned(fingerprint: string): Promise<boolean> {
    return this.#pins.has(fingerprint)
  }

  async pin(fingerprint: string): Promise<void> {
    this.#pins.add(fingerprint)
  }
}
