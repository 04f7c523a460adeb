/** A model without an engine: fixed state, and actions that do nothing but what a state asks for. */
import { signal } from '@preact/signals'
import type { Certificates, RequestView } from '../../model-certificates'
import type { FindStep, InternetView, Reach } from '../../model-reach'
import type {
  ConversationView,
  FileEntry,
  IdentityView,
  Model,
  Person,
  ServerView,
  SessionView,
  TextEntry,
} from '../../model'
import { fakeCertificates } from './fake-certificates'
import { fakeReach, found } from './fake-reach'

export interface Fake {
  readonly server?: Partial<ServerView>
  readonly session?: Partial<SessionView>
  readonly identity?: IdentityView | null
  readonly people?: readonly Person[]
  readonly conversations?: readonly ConversationView[]
  readonly actions?: Partial<Model>
  readonly certificates?: Partial<Certificates>
  readonly reach?: Partial<Reach>
  readonly internet?: InternetView | null
  readonly finding?: readonly FindStep[] | null
  /** Our own request for a certificate. */
  readonly request?: RequestView
  /** How much waits for the owner. */
  readonly waiting?: number
}

const minute = 60_000
export const ago = (minutes: number) => Date.now() - minutes * minute

export const fingerprint = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

const server: ServerView = {
  state: 'active',
  owner: 'W1AW',
  ownerName: 'Hiram',
  ownerGrid: 'FN31pr',
  version: '0.1.0-7',
  fingerprint,
  addresses: ['http://192.168.1.100:8080', 'http://10.54.3.17:8080'],
  local: false,
  secure: false,
  secureAddress: {
    root: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
    urls: ['https://w1aw.local:8080', 'https://192.168.1.100:8080'],
    amateurNetworks: [],
  },
  radio: null,
  guestCalls: false,
}

const session: SessionView = {
  phase: 'connected',
  since: ago(42),
  role: 'unlicensed',
  guestCalls: false,
  clientId: 'c1',
  net: 'main',
  isOwner: false,
  retryAt: null,
  reason: null,
  unknownServer: null,
}

export const ownersKey: IdentityView = {
  callsign: 'W1AW',
  keyId: fingerprint,
  fingerprint,
  licenceClass: 'Amateur Extra',
  vouchedBy: 'W1AW',
  method: 'self-asserted',
  exportable: true,
  backedUp: true,
}

/** The owner at the server's own machine. */
export const owner: Fake = {
  server: { local: true, secure: true },
  session: { role: 'licensed', isOwner: true },
  identity: ownersKey,
}

export function person(label: string, more: Partial<Person> = {}): Person {
  const licensed = !label.startsWith('Guest')
  return {
    id: label.toLowerCase().replaceAll(/[^a-z0-9]/g, '-'),
    callsign: licensed ? label : 'GUEST',
    label,
    licensed,
    verified: licensed,
    keyId: licensed ? fingerprint : null,
    licenceClass: null,
    isOwner: label === 'W1AW',
    at: null,
    since: ago(20),
    fresh: false,
    ...more,
  }
}

export function conversation(peer: Person, more: Partial<ConversationView> = {}): ConversationView {
  return { peer, present: true, phase: 'connected', since: ago(8), reason: null, path: 'direct, 192.168.1.23', proof: null, notice: null, unread: 0, entries: [], ...more }
}

let ids = 0

export function text(words: string, mine: boolean, more: Partial<TextEntry> = {}): TextEntry {
  ids += 1
  return { kind: 'text', id: `t${ids}`, mine, at: ago(8 - ids / 10), text: words, state: 'delivered', ...more }
}

export function file(name: string, mine: boolean, more: Partial<FileEntry> = {}): FileEntry {
  ids += 1
  return {
    kind: 'file',
    id: `f${ids}`,
    mine,
    at: ago(7 - ids / 10),
    name,
    size: 20_000_000,
    mediaType: 'application/octet-stream',
    moved: 0,
    speed: 0,
    secondsLeft: null,
    state: 'offered',
    reason: null,
    sha256: null,
    url: null,
    savedToDisk: false,
    tooLarge: null,
    ...more,
  }
}

/** A model of that state. `tell` hears of every action; `say` lets somebody of the conversations write. */
export function fakeModel(fake: Fake, tell: (act: string, ...words: readonly unknown[]) => void) {
  const conversations = signal<ReadonlyMap<string, ConversationView>>(
    new Map((fake.conversations ?? []).map((view) => [view.peer.id, view])),
  )
  const change = (peerId: string, to: (view: ConversationView) => ConversationView) => {
    const view = conversations.value.get(peerId)
    if (view !== undefined) conversations.value = new Map(conversations.value).set(peerId, to(view))
  }
  const model: Model = {
    server: signal({ ...server, ...fake.server }),
    session: signal({ ...session, ...fake.session }),
    identity: signal(fake.identity ?? null),
    people: signal(fake.people ?? []),
    conversations,
    reach: fakeReach(fake.reach ?? {}, fake.internet === undefined ? { online: false, since: ago(95) } : fake.internet, fake.finding === undefined ? found : fake.finding, tell),
    certificates: fakeCertificates(fake.certificates ?? {}, fake.request ?? null, fake.waiting ?? 0, tell),
    claim: async () => ({ ok: true }),
    exportKey: async () => new Blob(['key']),
    importKey: async () => ownersKey,
    forgetKey: async () => tell('forgetKey'),
    trustServer: async () => tell('trustServer'),
    setOpenToNetwork: async (open) => tell('setOpenToNetwork', open),
    setGuestCalls: async (allowed) => tell('setGuestCalls', allowed),
    probeSecure: async () => null,
    reconnect: () => tell('reconnect'),
    joinNet: (net) => tell('joinNet', net),
    call: (peerId) => tell('call', peerId),
    hangUp: (peerId) => tell('hangUp', peerId),
    sendText: (peerId, words) => tell('sendText', peerId, words),
    sendFiles: (peerId, files) => tell('sendFiles', peerId, ...files.map(({ name }) => name)),
    acceptFile: async (peerId, id) => tell('acceptFile', peerId, id),
    cancelFile: (peerId, id) => tell('cancelFile', peerId, id),
    markRead: (peerId) => change(peerId, (view) => ({ ...view, unread: 0 })),
    ...fake.actions,
  }
  const say = (peerId: string, words: string) =>
    change(peerId, (view) => ({ ...view, unread: view.unread + 1, entries: [...view.entries, text(words, false)] }))
  return { model, say }
}
