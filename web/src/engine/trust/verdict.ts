/**
 * Who is trusted, and why: the server's rules (docs/decisions/0005-trust-graph.md) as a pure computation.
 *
 * Trust is reachability from the anchors over certificates that nothing killed. No clock, no limit of depth,
 * nothing stored: the same certificates, decisions and statements give the same verdicts, whatever their order,
 * and the same as the server's (docs/protocol/vectors/trust.json). Only certificates, tombstones and changes of
 * keys that are signed as they should be count; whoever handed them over adds nothing.
 */
import { baseOf } from './callsign'
import type { Certificate } from './certificate'
import type { Change, Tombstone } from './heard'
import { verifyStatement } from './keys'
import { Lines } from './rekey'
import { statement } from './statement'
import { type Edge, type Node, Web } from './web'

/** What a certificate counts for nothing by, whoever signed it. */
export type Cause = 'blacklisted' | 'blacklisted-key' | 'blacklisted-subtree' | 'withdrawn' | 'revoked' | 'successors' | 'awaits-owner'

export type Verdict = 'trusted' | 'untrusted' | 'waiting' | 'unknown' | Cause

/** A decision of whoever judges: one certificate, a key with all its certificates, or a key and all below it. */
export type Distrust =
  | { readonly scope: 'certificate'; readonly identity: string }
  | { readonly scope: 'key' | 'subtree'; readonly keyId: string }

export interface Evidence {
  readonly certificates: readonly Certificate[]
  /** Fingerprints of the certificates that are trusted without anybody else's word. */
  readonly anchors: readonly string[]
  /** In the order in which they were made. */
  readonly blacklist?: readonly Distrust[]
  readonly tombstones?: readonly Tombstone[]
  readonly rekeys?: readonly Change[]
  /** Decisions between several successors of a key. */
  readonly chosen?: readonly { readonly old: string; readonly new: string }[]
  /** Keys accepted for a callsign of which another was blacklisted. */
  readonly accepted?: readonly { readonly callsign: string; readonly keyId: string }[]
}

/** Checks each signature once, then judges. */
export async function judgeAll(evidence: Evidence): Promise<Verdicts> {
  const web = await Web.of(evidence.certificates, new Set(evidence.anchors))
  const [withdrawn, revoked] = await buried(web, evidence.tombstones ?? [])
  const lines = await Lines.of(web, evidence.rekeys ?? [], evidence.chosen ?? [])
  const marks: Marks = {
    web,
    anchors: new Set(evidence.anchors.map((anchor) => web.byFingerprint(anchor)?.identity ?? anchor)),
    withdrawn,
    revoked,
    suspended: lines.suspended,
    accepted: new Set((evidence.accepted ?? []).map(({ callsign, keyId }) => `${baseOf(callsign)} ${keyId}`)),
    identities: new Set(),
    keys: new Set(),
    subtrees: new Set(),
    condemned: new Set(),
    barred: new Map(),
  }
  for (const distrust of evidence.blacklist ?? []) take(marks, distrust)
  return new Verdicts(web, marks, evidence.certificates)
}

export class Verdicts {
  readonly #web: Web
  readonly #marks: Marks
  readonly #issuing: ReadonlyMap<Node, Edge>
  readonly #given: ReadonlySet<string>

  constructor(web: Web, marks: Marks, given: readonly Certificate[]) {
    this.#web = web
    this.#marks = marks
    this.#issuing = issuing(marks)
    this.#given = new Set(given.map(({ fingerprint }) => fingerprint))
  }

  of(fingerprint: string): Verdict {
    const edge = this.#web.byFingerprint(fingerprint)
    if (!edge) return this.#given.has(fingerprint) ? 'waiting' : 'unknown'
    return causeOf(this.#marks, edge) ?? (isTrusted(this.#marks, this.#issuing, edge) ? 'trusted' : 'untrusted')
  }

  identityOf(fingerprint: string): string | null {
    return this.#web.byFingerprint(fingerprint)?.identity ?? null
  }

  /** A shortest way from a trusted certificate, which is first, up to an anchor; empty for others. */
  path(fingerprint: string): readonly Certificate[] {
    const first = this.#web.byFingerprint(fingerprint)
    if (!first || this.of(fingerprint) !== 'trusted') return []
    const path: Edge[] = [first]
    for (let last = first; !isAnchor(this.#marks, last); ) {
      const above = last.issuer && this.#issuing.get(last.issuer)
      if (!above) return []
      path.push(above)
      last = above
    }
    return path.map(({ certificate }) => certificate)
  }
}

/** What takes trust away, as sets to look up in. */
interface Marks {
  readonly web: Web
  /** Identities. */
  readonly anchors: ReadonlySet<string>
  readonly withdrawn: ReadonlySet<string>
  readonly revoked: ReadonlySet<string>
  readonly suspended: ReadonlySet<string>
  readonly accepted: ReadonlySet<string>
  readonly identities: Set<string>
  readonly keys: Set<string>
  readonly subtrees: Set<string>
  /** Keys below a blacklisted subtree's key, that key included. */
  readonly condemned: Set<string>
  /** Callsigns of blacklisted keys, with the keys that were trusted for them at that time. */
  readonly barred: Map<string, Set<string>>
}

function isAnchor(marks: Marks, { identity }: Edge): boolean {
  return marks.anchors.has(identity)
}

function causeOf(marks: Marks, edge: Edge): Cause | null {
  const { keyId, callsign } = edge.certificate
  if (marks.identities.has(edge.identity)) return 'blacklisted'
  if (marks.keys.has(keyId)) return 'blacklisted-key'
  if (marks.condemned.has(keyId)) return 'blacklisted-subtree'
  if (marks.withdrawn.has(keyId)) return 'withdrawn'
  if (marks.revoked.has(edge.identity)) return 'revoked'
  if (marks.suspended.has(keyId)) return 'successors'
  return !isAnchor(marks, edge) && awaitsOwner(marks, baseOf(callsign), keyId) ? 'awaits-owner' : null
}

function awaitsOwner(marks: Marks, base: string, keyId: string): boolean {
  const known = marks.barred.get(base)
  return known !== undefined && !known.has(keyId) && !marks.accepted.has(`${base} ${keyId}`)
}

function isTrusted(marks: Marks, nodes: ReadonlyMap<Node, Edge>, edge: Edge): boolean {
  const vouched = isAnchor(marks, edge) || (edge.issuer !== null && nodes.has(edge.issuer))
  return vouched && causeOf(marks, edge) === null
}

/** Every node that may issue, each with the certificate that brings it nearest to an anchor. */
function issuing(marks: Marks): ReadonlyMap<Node, Edge> {
  const nodes = new Map<Node, Edge>()
  let layer = marks.web.edges.filter((edge) => isAnchor(marks, edge))
  while (layer.length > 0) {
    const fresh: Node[] = []
    for (const edge of layer.sort((a, b) => (a.identity < b.identity ? -1 : 1))) {
      if (!edge.certificate.mayIssue || nodes.has(edge.subject) || causeOf(marks, edge) !== null) continue
      nodes.set(edge.subject, edge)
      fresh.push(edge.subject)
    }
    layer = fresh.flatMap((node) => node.out)
  }
  return nodes
}

/** Puts a decision in force. Any other key for the callsigns of a blacklisted one has to be accepted first. */
function take(marks: Marks, distrust: Distrust): void {
  if (distrust.scope === 'certificate') {
    marks.identities.add(distrust.identity)
    return
  }
  const { keyId } = distrust
  const nodes = issuing(marks)
  for (const { certificate } of marks.web.certificatesOf(keyId)) {
    const base = baseOf(certificate.callsign)
    const trusted = marks.web.edges.filter((edge) => baseOf(edge.certificate.callsign) === base && isTrusted(marks, nodes, edge))
    const known = trusted.map((edge) => edge.certificate.keyId).filter((key) => !awaitsOwner(marks, base, key))
    marks.barred.set(base, new Set([...(marks.barred.get(base) ?? []), ...known]))
  }
  if (distrust.scope === 'key') marks.keys.add(keyId)
  else condemn(marks, keyId)
}

/** It stops at anchors: otherwise a hostile key could certify the owner's own, and everybody fell with it. */
function condemn(marks: Marks, keyId: string): void {
  const { web, condemned } = marks
  const anchored = new Set(web.edges.filter((edge) => isAnchor(marks, edge)).map((edge) => edge.certificate.keyId))
  marks.subtrees.add(keyId)
  condemned.add(keyId)
  const work = [keyId]
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    for (const { out } of web.nodesOf(next)) {
      for (const { certificate } of out) {
        if (anchored.has(certificate.keyId) || condemned.has(certificate.keyId)) continue
        condemned.add(certificate.keyId)
        work.push(certificate.keyId)
      }
    }
  }
}

/** The keys that withdrew themselves, and the certificates that their issuers ended. Others' words are advice. */
async function buried(web: Web, tombstones: readonly Tombstone[]): Promise<readonly [ReadonlySet<string>, ReadonlySet<string>]> {
  const withdrawn = new Set<string>()
  const revoked = new Set<string>()
  for (const { target, signer, signature } of tombstones) {
    const edge = web.byIdentity(target)
    const key = web.key(signer)
    const holder = edge?.certificate.keyId === signer
    if (!edge || !key || !(holder || edge.issuer?.keyId === signer)) continue
    if (!(await verifyStatement(key, statement('tombstone', { signer, target }), signature))) continue
    if (holder) withdrawn.add(signer)
    else revoked.add(target)
  }
  return [withdrawn, revoked]
}
