/**
 * The browser's database: the identity of this origin, the servers it has accepted, what it heard of withdrawn
 * keys, the request for a certificate that waits, and how far servers' logs went when they were checked.
 *
 * Loaded at start, so it holds no cryptography of its own. Where a browser forbids storage (some
 * private windows), everything works for the life of the page.
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { StoredIdentity } from './identity'
import type { StoredRequest } from './request'
import { mergeStatements, NO_STATEMENTS, type Statements } from './heard'

interface Schema extends DBSchema {
  identity: { key: 'mine'; value: StoredIdentity }
  servers: { key: string; value: { readonly fingerprint: string; readonly since: number } }
  statements: { key: 'heard'; value: Statements }
  request: { key: 'mine'; value: StoredRequest }
  logs: { key: string; value: LogTip }
}

/** How far a server's issuance log went when this browser checked it. */
export interface LogTip {
  readonly size: number
  readonly head: string
}

export interface Store {
  identity(): Promise<StoredIdentity | null>
  keepIdentity(identity: StoredIdentity): Promise<void>
  forgetIdentity(): Promise<void>
  isPinned(fingerprint: string): Promise<boolean>
  pin(fingerprint: string): Promise<void>
  /** Tombstones and changes of keys, from every server that was accepted. */
  statements(): Promise<Statements>
  /** Adds to them; nothing is ever taken back. */
  addStatements(more: Statements): Promise<void>
  request(): Promise<StoredRequest | null>
  keepRequest(request: StoredRequest): Promise<void>
  forgetRequest(): Promise<void>
  /** By the id of the server's key. */
  logTip(server: string): Promise<LogTip | null>
  keepLogTip(server: string, tip: LogTip): Promise<void>
}

export function openStore(): Store {
  const database = openDB<Schema>('ham-server', 2, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('identity')
        db.createObjectStore('servers', { keyPath: 'fingerprint' })
      }
      db.createObjectStore('statements')
      db.createObjectStore('request')
      db.createObjectStore('logs')
    },
    // A newer version of the app, in another tab, must not wait for this one.
    blocking: (_before, _after, event) => (event.target as IDBDatabase).close(),
  })
  const memory = new MemoryStore()
  const chosen: Promise<Store> = database.then((db) => new DatabaseStore(db), () => memory)
  return {
    identity: async () => (await chosen).identity(),
    keepIdentity: async (identity) => (await chosen).keepIdentity(identity),
    forgetIdentity: async () => (await chosen).forgetIdentity(),
    isPinned: async (fingerprint) => (await chosen).isPinned(fingerprint),
    pin: async (fingerprint) => (await chosen).pin(fingerprint),
    statements: async () => (await chosen).statements(),
    addStatements: async (more) => (await chosen).addStatements(more),
    request: async () => (await chosen).request(),
    keepRequest: async (request) => (await chosen).keepRequest(request),
    forgetRequest: async () => (await chosen).forgetRequest(),
    logTip: async (server) => (await chosen).logTip(server),
    keepLogTip: async (server, tip) => (await chosen).keepLogTip(server, tip),
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

  async statements(): Promise<Statements> {
    return (await this.#database.get('statements', 'heard')) ?? NO_STATEMENTS
  }

  async addStatements(more: Statements): Promise<void> {
    const transaction = this.#database.transaction('statements', 'readwrite')
    const held = (await transaction.store.get('heard')) ?? NO_STATEMENTS
    await transaction.store.put(mergeStatements(held, more), 'heard')
    await transaction.done
  }

  async request(): Promise<StoredRequest | null> {
    return (await this.#database.get('request', 'mine')) ?? null
  }

  async keepRequest(request: StoredRequest): Promise<void> {
    await this.#database.put('request', request, 'mine')
  }

  async forgetRequest(): Promise<void> {
    await this.#database.delete('request', 'mine')
  }

  async logTip(server: string): Promise<LogTip | null> {
    return (await this.#database.get('logs', server)) ?? null
  }

  async keepLogTip(server: string, tip: LogTip): Promise<void> {
    await this.#database.put('logs', tip, server)
  }
}

/** For tests and for browsers without storage. */
export class MemoryStore implements Store {
  #identity: StoredIdentity | null = null
  #statements = NO_STATEMENTS
  #request: StoredRequest | null = null
  readonly #pins = new Set<string>()
  readonly #logs = new Map<string, LogTip>()

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

  async statements(): Promise<Statements> {
    return this.#statements
  }

  async addStatements(more: Statements): Promise<void> {
    this.#statements = mergeStatements(this.#statements, more)
  }

  async request(): Promise<StoredRequest | null> {
    return this.#request
  }

  async keepRequest(request: StoredRequest): Promise<void> {
    this.#request = request
  }

  async forgetRequest(): Promise<void> {
    this.#request = null
  }

  async logTip(server: string): Promise<LogTip | null> {
    return this.#logs.get(server) ?? null
  }

  async keepLogTip(server: string, tip: LogTip): Promise<void> {
    this.#logs.set(server, tip)
  }
}
