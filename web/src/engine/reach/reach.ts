/** Ways to this server and from here to others: what is asked of the server, and what the browser finds. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { ArednEntry, Check, InternetView, ListedServer, NetView, Reach as Model, ZoneRule, ZonesView } from '../../model-reach'
import type { ArednAnswer, Diagnosis, ArednEntry as Entry, Peer, PeerWarnings, Status, ZonesAnswer } from '../../wire/http'
import type { Client } from '../authority/client'
import type { Session } from '../signaling/session'
import type { Identity } from '../trust/identity'
import { conclude } from './diagnosis'
import { Failover } from './failover'
import { Finder } from './finder'
import { gather, type NewConnection } from './gathering'
import { readInvitation } from './invitation'
import { Memory } from './memory'
import { netView } from './net'

/** What this part takes from the engine. */
export interface Host {
  readonly origin: string
  readonly storage: Pick<Storage, 'getItem' | 'setItem'> | null
  readonly client: Client
  readonly isVisible: () => boolean
  readonly identity: ReadonlySignal<Identity | null>
  readonly newConnection: NewConnection
  readonly hasSecureAddress: () => boolean
  readonly probeSecure: () => Promise<string | null>
  /** Whose server we are at. */
  readonly owner: () => string | null
  /** Makes the session one with the server at this address. */
  readonly move: (endpoint: string) => void
}

const EVERY = 5_000

export class Reach implements Model {
  readonly internet: Model['internet']
  readonly finding: Model['finding']
  readonly readInvitation = readInvitation
  readonly refuge: Model['refuge']
  readonly net: Model['net']
  readonly #finder: Finder
  readonly #failover: Failover
  readonly #internet = signal<InternetView | null>(null)
  readonly #net = signal<NetView | null>(null)
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
    this.internet = this.#internet
    this.net = this.#net
    const memory = new Memory(host.storage)
    this.#finder = new Finder({
      origin: host.origin,
      server: () => this.refuge.peek()?.endpoint ?? host.origin,
      memory,
      fetch: (url, init) => fetch(url, init),
      now: () => Date.now(),
    })
    this.finding = this.#finder.steps
    this.#failover = new Failover({ home: host.origin, memory, isVisible: host.isVisible, get, owner: host.owner, move: host.move })
    this.refuge = this.#failover.refuge
  }

  /** Where the session stands, once there is one. */
  follow(step: Session['step']): void {
    this.#failover.follow(step)
  }

  watchInternet(): () => void {
    const timer = setInterval(() => {
      if (this.#host.isVisible()) void this.#look()
    }, EVERY)
    void this.#look()
    return () => clearInterval(timer)
  }

  async zones(): Promise<ZonesView> {
    return zonesView(await this.#host.client.signed<ZonesAnswer>(this.#host.identity.peek(), 'GET', '/api/zones'))
  }

  async setZones(rules: readonly ZoneRule[]): Promise<ZonesView> {
    const body = { rules: rules.map(({ subject, zone }) => ({ subject, zone })) }
    return zonesView(await this.#host.client.signed<ZonesAnswer>(this.#host.identity.peek(), 'POST', '/api/zones', body))
  }

  async diagnose(after: 'call' | null): Promise<readonly Check[]> {
    const { client, newConnection, hasSecureAddress, probeSecure } = this.#host
    const secure = globalThis.isSecureContext
    const [gathered, trusted, media, localNetwork] = await Promise.all([
      gather(newConnection),
      secure || !hasSecureAddress() ? null : probeSecure(),
      allowed('microphone'),
      allowed('local-network-access'),
    ])
    // The browser answers to its name for as long as the connection lives.
    const query = new URLSearchParams()
    if (gathered.name !== null) query.set('name', gathered.name)
    if (gathered.address !== null) query.set('address', gathered.address)
    const server = await client.get<Diagnosis>(`/api/diagnose?${query}`).catch(() => null)
    gathered.done()
    return conclude({
      server,
      ways: gathered.ways,
      media,
      localNetwork,
      secure,
      hasSecureAddress: hasSecureAddress(),
      trusted: trusted !== null,
      callFailed: after === 'call',
    })
  }

  async arednEntry(): Promise<ArednEntry> {
    return this.#host.client.get<Entry>('/api/aredn')
  }

  async importFromNode(node: string): Promise<readonly ListedServer[]> {
    const { servers } = await this.#host.client.signed<ArednAnswer>(this.#host.identity.peek(), 'POST', '/api/aredn', { node })
    return servers.map(({ callsign, endpoint }) => ({ callsign, url: `${endpoint}/`, address: new URL(endpoint).host }))
  }

  find(): void {
    void this.#finder.find()
  }

  watchNet(): () => void {
    const timer = setInterval(() => {
      if (this.#host.isVisible()) void this.#lookAtNet()
    }, EVERY)
    void this.#lookAtNet()
    return () => clearInterval(timer)
  }

  async nameServer(endpoint: string): Promise<void> {
    await this.#decide('POST', '/api/peers', { endpoint })
  }

  async unnameServer(id: string): Promise<void> {
    await this.#decide('DELETE', `/api/peers/${id}`)
  }

  async acceptServer(id: string, fingerprint: string): Promise<void> {
    await this.#decide('POST', `/api/peers/${id}/accept`, { fingerprint })
  }

  async #decide(method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
    await this.#host.client.signed(this.#host.identity.peek(), method, path, body)
    await this.#lookAtNet()
  }

  async #lookAtNet(): Promise<void> {
    const { client } = this.#host
    try {
      const [peers, warnings] = await Promise.all([client.get<Peer[]>('/api/peers'), client.get<PeerWarnings>('/api/peers/warnings')])
      this.#net.value = netView(peers, warnings)
    } catch {
      // The session says what is wrong; what was known stays.
    }
  }

  async askForMicrophone(): Promise<boolean> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
      for (const track of stream.getTracks()) track.stop()
      return true
    } catch {
      return false
    }
  }

  async #look(): Promise<void> {
    try {
      const { mode, modeFor } = await this.#host.client.get<Status>('/api/status')
      const online = mode === 'online'
      // Asking again moves the time by a second now and then.
      if (this.#internet.peek()?.online !== online) this.#internet.value = { online, since: Date.now() - modeFor * 1000 }
    } catch {
      // The session says what is wrong; what was known stays.
    }
  }
}

function zonesView({ rules, networks }: ZonesAnswer): ZonesView {
  return {
    rules,
    networks: networks.map(({ interface: name, addresses, zone, reason }) => ({ name, addresses, zone, reason })),
  }
}

/** What another server answers, which need not be one. */
async function get<T>(url: string, within: number): Promise<T> {
  const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(within) })
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
  return (await answer.json()) as T
}

/** What the person allowed this page; null where the browser does not tell. */
async function allowed(name: string): Promise<PermissionState | null> {
  try {
    const { state } = await navigator.permissions.query({ name: name as PermissionName })
    return state
  } catch {
    return null
  }
}
