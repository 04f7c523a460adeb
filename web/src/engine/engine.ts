/**
 * The engine: the model that the pages see, made of parts that do not know each other.
 *
 *   server      what /api/info says          runner         the session on the WebSocket
 *   people      who is here                  conversations  calls, texts, files
 *   authority   certificates             reach          networks, what is in the way on them, other servers
 *
 * Reading order: `signaling/session`, `signaling/roster`, `call/call`, `conversation/conversation`.
 */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals'
import type { ClaimRequest, ClaimResult, IdentityView, Model, Person, SessionView } from '../model'
import { api, NETWORK_PATH } from './api'
import type { NetworkRequest } from '../wire/http'
import { Authority } from './authority/authority'
import { Client } from './authority/client'
import { Hearing } from './authority/hearing'
import { BrowserNotary, guest } from './call/notary'
import { reasons } from './call/reasons'
import type { Heard } from './call/statements'
import { Conversations } from './conversation/conversations'
import type { JoinCode } from './join-code'
import { People } from './people'
import { Problem } from './problem'
import { Reach } from './reach/reach'
import { firstTrusted } from './secure'
import { Server } from './server'
import type { Incoming } from './signaling/messages'
import { SessionRunner } from './signaling/runner'
import { FIRST_NET, type Session } from './signaling/session'
import type { Certificate } from './trust/certificate'
import type { Identity } from './trust/identity'
import { openStore } from './trust/store'

/** What the engine takes from the page it runs in. */
export interface Page {
  /** Of the server this page came from: `http://localhost:8080`. */
  readonly origin: string
  /** Its WebSocket URL. */
  readonly signalUrl: string
  readonly joinCode: JoinCode | null
  /** The net of this tab before it was reloaded. */
  readonly lastNet: string | null
  readonly rememberNet: (net: string) => void
  readonly isVisible: () => boolean
  /** What lasts beyond the tab, where the browser allows it. */
  readonly storage: Storage | null
}

const INSECURE = 'On a plain http address this browser offers no keys. Use the server’s own machine, its secure address, or `ham-server claim --url`.'

export class Engine implements Model {
  readonly #origin: string
  readonly #store = openStore()
  readonly #server: Server
  readonly #hearing: Hearing
  readonly #runner: SessionRunner
  readonly #people: People
  readonly #conversations: Conversations
  readonly #notary: BrowserNotary
  readonly #own = signal<Identity | null>(null)
  readonly #identityView = signal<IdentityView | null>(null)
  readonly #client: Client
  #joinedOwner: Certificate | null = null
  #lastClientId: string | null = null
  /** The first connection was made: from then on it comes back by itself. */
  #started = false

  readonly server: Model['server']
  readonly session: ReadonlySignal<SessionView>
  readonly identity: Model['identity'] = this.#identityView
  readonly people: Model['people']
  readonly conversations: Model['conversations']
  readonly certificates: Authority
  readonly reach: Reach

  constructor(page: Page) {
    this.#origin = page.origin
    this.#server = new Server({ info: () => api.info(this.reach.refuge.peek()?.endpoint) }, page.isVisible)
    this.#runner = new SessionRunner(page.signalUrl, page.joinCode?.net ?? page.lastNet ?? FIRST_NET, {
      identity: () => this.#own.peek(),
      joinCode: page.joinCode?.fingerprint ?? null,
      store: this.#store,
      received: (frame) => this.#received(frame),
    })
    this.#people = new People(
      (cursor) => this.#runner.send({ type: 'LIST_PEERS', cursor }),
      () => this.#conversations.refresh((id) => this.#people.find(id)),
    )
    this.#notary = new BrowserNotary({
      identity: () => this.#own.peek(),
      judge: (chain) => this.#judge(chain, page.joinCode?.fingerprint ?? null),
      owner: () => (this.#runner.owner ?? this.#joinedOwner)?.fingerprint ?? null,
    })
    this.#conversations = new Conversations({
      notary: this.#notary,
      obstacle: (person) => this.#obstacle(person),
      newConnection,
      polite: (id) => this.#isPolite(id),
      receiver: (person) => person.keyId ?? this.#guestOf(person),
      sendDescription: (id, description, statement) => {
        const to = this.#addressed(id)
        if (!to) return
        if (description.type === 'offer') this.#runner.send({ type: 'OFFER', id: `offer-${to.target}`, ...to, offer: description, statement })
        else this.#runner.send({ type: 'ANSWER', ...to, answer: description, statement })
      },
      sendCandidate: (id, candidate) => {
        const to = this.#addressed(id)
        if (to) this.#runner.send({ type: 'ICE_CANDIDATE', ...to, candidate })
      },
      moved: (id, session) => this.#moved(id, session),
    })
    this.server = this.#server.view
    this.session = computed(() => viewOfSession(this.#runner.session.value, this.#closedToUs()))
    effect(() => page.rememberNet(this.#runner.session.value.net))
    this.#client = new Client(page.origin)
    this.#hearing = new Hearing(this.#client, this.#store)
    this.certificates = new Authority({
      client: this.#client,
      store: this.#store,
      isVisible: page.isVisible,
      identity: this.#own,
      server: () => this.server.value.fingerprint,
      isOwner: computed(() => isOwnerAtWork(this.#runner.session.value)),
      become: (identity) => this.#become(identity),
      forget: () => this.forgetKey(),
    })
    this.reach = new Reach({
      origin: page.origin,
      storage: page.storage,
      client: this.#client,
      isVisible: page.isVisible,
      identity: this.#own,
      newConnection,
      hasSecureAddress: () => this.server.value.secureAddress !== null,
      probeSecure: () => this.probeSecure(),
      owner: () => this.server.value.owner,
      move: (endpoint) => this.#move(endpoint),
    })
    effect(() => {
      const { step } = this.#runner.session.value
      if (this.#started) this.reach.follow(step)
    })
    this.people = this.#people.list
    this.conversations = this.#conversations.views
  }

  /** Reads what is stored, asks the server who it is, and connects as soon as somebody owns it. */
  async start(): Promise<void> {
    await Promise.all([this.#readIdentity(), this.#server.refresh()])
    if (globalThis.isSecureContext) void this.certificates.resume()
    effect(() => {
      if (!this.#started && this.server.value.state !== 'unclaimed') this.#connect()
    })
  }

  /** The page came back into view, or the device found a network. */
  wake(): void {
    void this.#server.refresh()
    this.#runner.wake()
  }

  /** The page goes for good. */
  leave(): void {
    this.#conversations.hangUpAll()
  }

  /** Leaving the page now would break off a transfer. */
  get isBusy(): boolean {
    return this.#conversations.isBusy
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    if (!globalThis.isSecureContext) return { ok: false, field: null, problem: INSECURE }
    const { claim } = await import('./claim')
    const { result, identity } = await claim(request, api, this.#store)
    if (identity) await this.#become(identity)
    return result
  }

  async exportKey(password: string): Promise<Blob | null> {
    const identity = this.#own.peek()
    if (!identity) return null
    const { keyFileOf } = await import('./trust/operator')
    const file = await keyFileOf(identity, password)
    if (!file) return null
    if (!identity.backedUp) {
      const backedUp = { ...identity, backedUp: true }
      await this.#store.keepIdentity(backedUp)
      await this.#show(backedUp)
    }
    return new Blob([file], { type: 'application/x-pkcs12' })
  }

  async importKey(file: Blob, password: string): Promise<IdentityView> {
    if (!globalThis.isSecureContext) throw new Problem(INSECURE)
    const { identityFromFile, viewOf } = await import('./trust/operator')
    const identity = await identityFromFile(new Uint8Array(await file.arrayBuffer()), password)
    await this.#store.keepIdentity(identity)
    await this.#become(identity)
    return viewOf(identity)
  }

  async forgetKey(): Promise<void> {
    this.#conversations.hangUpAll()
    await this.#store.forgetIdentity()
    await this.#show(null)
    this.#connect()
  }

  async trustServer(): Promise<void> {
    const unknown = this.#runner.session.value.unknownServer
    if (!unknown) return
    await this.#store.pin(unknown.fingerprint)
    this.#connect()
  }

  setOpenToNetwork(open: boolean): Promise<void> {
    return this.#decide({ open })
  }

  setGuestCalls(allowed: boolean): Promise<void> {
    return this.#decide({ guestCalls: allowed })
  }

  async #decide(admission: NetworkRequest): Promise<void> {
    const identity = this.#own.peek()
    if (!identity) throw new Problem('Only the owner decides this.')
    const { signedHeaders } = await import('./signed')
    const body = JSON.stringify(admission)
    await api.network(body, await signedHeaders(identity, { method: 'POST', target: this.#origin + NETWORK_PATH, body }, await api.nonce()))
    await this.#server.refresh()
  }

  probeSecure(): Promise<string | null> {
    const { secureAddress, fingerprint } = this.server.value
    return firstTrusted(secureAddress?.urls ?? [], fingerprint)
  }

  reconnect(): void {
    void this.#server.refresh()
    this.#connect()
  }

  joinNet(net: string): void {
    this.#runner.join(net)
  }

  call(peerId: string): void {
    this.#with(peerId)?.start()
  }

  hangUp(peerId: string): void {
    this.#conversations.get(peerId)?.hangUp()
  }

  sendText(peerId: string, text: string): void {
    this.#with(peerId)?.sendText(text)
  }

  sendFiles(peerId: string, files: readonly File[]): void {
    this.#with(peerId)?.sendFiles(files)
  }

  async acceptFile(peerId: string, transferId: string): Promise<void> {
    await this.#conversations.get(peerId)?.acceptFile(transferId)
  }

  cancelFile(peerId: string, transferId: string): void {
    this.#conversations.get(peerId)?.cancelFile(transferId)
  }

  markRead(peerId: string): void {
    this.#conversations.get(peerId)?.markRead()
  }

  #with(peerId: string) {
    const known = this.#conversations.get(peerId)
    if (known) return known
    const found = this.#people.find(peerId)
    return found ? this.#conversations.with(found.person) : null
  }

  /** To another server, or back home. The conversations go on: they tell each other of our new session. */
  #move(endpoint: string): void {
    this.#runner.move(`${endpoint.replace(/^http/, 'ws')}/signal`)
    void this.#server.refresh()
  }

  #connect(): void {
    this.#started = true
    this.#runner.connect()
  }

  #received(frame: Incoming): void {
    this.#people.received(frame)
    switch (frame.type) {
      case 'REGISTERED':
        return this.#registered(frame.clientId)
      case 'RESUMED':
        return this.#returned(frame.clientId)
      case 'OFFER_RECEIVED': {
        const person = this.#people.findByWire(frame.from)
        if (person) this.#conversations.offered(person, heard(frame.offer, frame), frame.polite)
        return
      }
      case 'ANSWER_RECEIVED':
        return this.#conversationOf(frame.from)?.answered(heard(frame.answer, frame))
      case 'ICE_CANDIDATE_RECEIVED':
        return this.#conversationOf(frame.from)?.candidate(frame.candidate)
      case 'ERROR': {
        const target = /^offer-(.+)$/.exec(frame.replyTo ?? '')?.[1]
        return target === undefined ? undefined : this.#conversationOf(target)?.offerRefused(frame.error)
      }
    }
  }

  #registered(clientId: string): void {
    this.#notary.registered(clientId)
    if (clientId === this.#lastClientId) return
    const first = this.#lastClientId === null
    this.#lastClientId = clientId
    if (!first) this.#returned(clientId)
  }

  #returned(clientId: string): void {
    void this.#server.refresh()
    this.#conversations.signalingReturned(clientId)
  }

  #conversationOf(wire: string) {
    const person = this.#people.findByWire(wire)
    return person && this.#conversations.get(person.id)
  }

  /** Only somebody with whom nothing was said yet can turn out to be an old acquaintance. */
  #moved(id: string, session: string): void {
    const stranger = this.#people.findByWire(session)
    if (!stranger || !this.#conversations.get(stranger.id)) this.#people.moved(id, session)
  }

  #obstacle(person: Person): string | null {
    const { step, role, guestCalls } = this.#runner.session.value
    if (step !== 'connected') return reasons.notConnected
    if (role !== 'licensed' && !(guestCalls && !person.licensed)) return reasons.guest
    return this.#people.find(person.id)?.present ? null : reasons.notHere(person.label)
  }

  #addressed(id: string): { target: string } | null {
    const target = this.#people.wireOf(id)
    return target === null ? null : { target }
  }

  #guestOf(person: Person): string | null {
    const wire = this.#people.wireOf(person.id)
    return wire === null ? null : guest(wire)
  }

  async #judge(chain: readonly string[], joinCode: string | null) {
    const [{ beliefsOf, judgeChain }, distrusted, owner] = await Promise.all([
      import('./trust/operator'),
      this.#hearing.distrusted(this.server.value.fingerprint),
      this.#ownerOf(joinCode),
    ])
    return judgeChain(chain, beliefsOf(this.#own.peek(), joinCode, this.#store, { owner, distrusted }))
  }

  /** Of the server that we logged in to or, as a guest, whose code we scanned. */
  async #ownerOf(joinCode: string | null): Promise<Certificate | null> {
    if (this.#runner.owner) return this.#runner.owner
    if (joinCode === null || this.#own.peek()) return null
    const { joinedOwner } = await import('./trust/operator')
    this.#joinedOwner ??= await joinedOwner(joinCode, (fingerprint) => this.#client.get(`/api/certificates/${fingerprint}`)).catch(() => null)
    return this.#joinedOwner
  }

  /** As the server computes it: of two sessions the one with the smaller name is polite. */
  #isPolite(id: string): boolean {
    const mine = this.#runner.session.value.clientId
    const theirs = this.#people.wireOf(id)
    return mine !== null && theirs !== null && mine < theirs
  }

  /** The owner has claimed the server but not opened it, and we are not on its machine. */
  #closedToUs(): boolean {
    const { state, local } = this.server.value
    return state === 'claimed' && !local
  }

  async #readIdentity(): Promise<void> {
    if (!globalThis.isSecureContext) return
    const stored = await this.#store.identity().catch(() => null)
    if (!stored) return
    const { identityFromStore } = await import('./trust/operator')
    await this.#show(await identityFromStore(stored))
  }

  /** A new key: the session begins anew with it. */
  async #become(identity: Identity): Promise<void> {
    await this.#show(identity)
    this.#connect()
    await this.#server.refresh()
  }

  async #show(identity: Identity | null): Promise<void> {
    this.#own.value = identity
    this.#identityView.value = identity && (await import('./trust/operator')).viewOf(identity)
  }
}

type Signed = Extract<Incoming, { type: 'OFFER_RECEIVED' | 'ANSWER_RECEIVED' }>

function heard(description: Heard['description'], { statement, chain }: Signed): Heard {
  return { description, statement: statement ?? null, chain: chain ?? [] }
}

function isOwnerAtWork({ step, isOwner, role }: Session): boolean {
  return step === 'connected' && isOwner && role === 'licensed'
}

function newConnection(): RTCPeerConnection | null {
  return typeof RTCPeerConnection === 'undefined' ? null : new RTCPeerConnection()
}

const CLOSED = 'The owner has not opened this server to the network yet. Ask them to let people join; this page then connects by itself.'

const PHASES: Readonly<Record<Session['step'], SessionView['phase']>> = {
  dialling: 'connecting',
  registering: 'connecting',
  judging: 'connecting',
  proving: 'connecting',
  connected: 'connected',
  waiting: 'waiting',
  'unknown-server': 'unknown-server',
  refused: 'refused',
}

function viewOfSession(session: Session, closedToUs: boolean): SessionView {
  const { since, role, guestCalls, clientId, net, isOwner, retryAt, unknownServer } = session
  const phase = PHASES[session.step]
  const reason = phase === 'waiting' && closedToUs ? CLOSED : session.reason
  return { phase, since, role, guestCalls, clientId, net, isOwner, retryAt, reason, unknownServer }
}
