/**
 * What this browser believes by itself, and its verdict on a chain of certificates that somebody shows.
 *
 * Invariant: its anchors are its own root, the server of a scanned join code, and the servers its user accepted,
 * with the owner whose server it is logged in to.
 * What servers say adds tombstones, changes of keys and distrust, never an anchor; and nobody else's distrust
 * counts when a server is judged.
 */
import { type Certificate, issuedBy, parseCertificate } from './certificate'
import type { Statements } from './heard'
import type { Identity } from './identity'
import type { Store } from './store'
import { type Distrust, judgeAll, type Verdict } from './verdict'

export interface Beliefs {
  /** Null for a guest. */
  readonly mine: Certificate | null
  /** The certificates above our own, the issuer first, PEM. */
  readonly chain: readonly string[]
  /** The fingerprint of a scanned join code. */
  readonly joinCode: string | null
  /** Whether this server was accepted. */
  readonly isPinned: (fingerprint: string) => Promise<boolean>
  /** Who signed the certificate of the accepted server that we are logged in to; null before. */
  readonly owner: Certificate | null
  /** Tombstones and changes of keys, wherever they were heard. */
  readonly statements: () => Promise<Statements>
  /** Identities that the owner of the server we are logged in to blacklisted. */
  readonly distrusted: readonly string[]
}

export type ChainVerdict =
  /** `path` begins with the certificate and ends with an anchor. */
  | { readonly kind: 'trusted'; readonly certificate: Certificate; readonly path: readonly Certificate[] }
  | { readonly kind: 'not-trusted'; readonly certificate: Certificate; readonly why: Exclude<Verdict, 'trusted' | 'unknown'> }
  | { readonly kind: 'unreadable' }

/** The longest chain that is looked at: as many as fit into a frame. */
const MAX_CHAIN = 64

export function beliefsOf(identity: Identity | null, joinCode: string | null, store: Store, more: Partial<Pick<Beliefs, 'owner' | 'distrusted'>> = {}): Beliefs {
  return {
    mine: identity?.parsed ?? null,
    chain: identity?.chain ?? [],
    joinCode,
    isPinned: (fingerprint) => store.isPinned(fingerprint),
    statements: () => store.statements(),
    owner: null,
    distrusted: [],
    ...more,
  }
}

/** Judges the first certificate of a chain; the others are those above it, in any order. */
export async function judgeChain(chain: readonly string[], beliefs: Beliefs): Promise<ChainVerdict> {
  const [shown, ...above] = await Promise.all(chain.slice(0, MAX_CHAIN).map(parseCertificate))
  if (!shown) return { kind: 'unreadable' }
  const own = await ownChain(beliefs)
  const owner = beliefs.owner ? [beliefs.owner] : []
  const certificates = [shown, ...above.filter((certificate) => certificate !== null), ...own, ...owner]
  const { tombstones, rekeys } = await beliefs.statements()
  const verdicts = await judgeAll({
    certificates,
    anchors: await anchorsAmong(certificates, own, beliefs),
    blacklist: beliefs.distrusted.map((identity): Distrust => ({ scope: 'certificate', identity })),
    tombstones,
    rekeys,
  })
  const why = verdicts.of(shown.fingerprint)
  if (why === 'trusted') return { kind: 'trusted', certificate: shown, path: verdicts.path(shown.fingerprint) }
  return { kind: 'not-trusted', certificate: shown, why: why === 'unknown' ? 'waiting' : why }
}

/** Our own certificate and those above it, each signed by the next. */
async function ownChain({ mine, chain }: Beliefs): Promise<readonly Certificate[]> {
  if (!mine) return []
  const own = [mine]
  for (const pem of chain.slice(0, MAX_CHAIN)) {
    const next = await parseCertificate(pem)
    const last = own.at(-1)
    if (!(next && last && (await issuedBy(last, next)))) break
    own.push(next)
  }
  return own
}

async function anchorsAmong(certificates: readonly Certificate[], own: readonly Certificate[], beliefs: Beliefs): Promise<readonly string[]> {
  const anchors = new Set<string>()
  const root = own.at(-1)
  if (root) anchors.add(root.fingerprint)
  if (beliefs.owner) anchors.add(beliefs.owner.fingerprint)
  for (const { fingerprint } of certificates) {
    if (fingerprint === beliefs.joinCode || (await beliefs.isPinned(fingerprint))) anchors.add(fingerprint)
  }
  return [...anchors]
}
