/**
 * A web of certificates: who holds which key, and who signed that.
 *
 * A node is a subject name with a key, an edge is a certificate, from the node whose key signed it to the one
 * it names. A certificate becomes an edge by a signature check against a key that is already in the web, so
 * nothing hangs on what a stranger merely claims. What no held key signed stays outside, and waits.
 */
import { toHex } from '../bytes'
import { type Certificate, identityUnder, isSignedBy } from './certificate'
import { isCalled, MIN_HINT } from './key-hint'

export interface Node {
  /** The subject name, hex. */
  readonly name: string
  readonly keyId: string
  readonly key: CryptoKey
  readonly spki: Uint8Array
  /** Certificates that name this node. */
  readonly into: Edge[]
  /** Certificates that its key signed. */
  readonly out: Edge[]
}

export interface Edge {
  readonly certificate: Certificate
  readonly identity: string
  /** Null for an anchor whose issuer is not here. */
  readonly issuer: Node | null
  readonly subject: Node
}

/** Most keys of its issuer's name that are tried for one certificate. */
const CHECKS_PER_CERTIFICATE = 32

export class Web {
  readonly edges: Edge[] = []
  readonly #byFingerprint = new Map<string, Edge>()
  readonly #byIdentity = new Map<string, Edge>()
  readonly #named = new Map<string, Map<string, Node>>()
  readonly #keys = new Map<string, Set<Node>>()

  /** Of these certificates, in any order. `anchors` are fingerprints that need no issuer. */
  static async of(certificates: readonly Certificate[], anchors: ReadonlySet<string>): Promise<Web> {
    const web = new Web()
    await web.#take(certificates, anchors)
    return web
  }

  byFingerprint(fingerprint: string): Edge | null {
    return this.#byFingerprint.get(fingerprint) ?? null
  }

  byIdentity(identity: string): Edge | null {
    return this.#byIdentity.get(identity) ?? null
  }

  /** The nodes of a key, one for each name it is known by. */
  nodesOf(keyId: string): Iterable<Node> {
    return this.#keys.get(keyId) ?? []
  }

  /** Every certificate of a key. */
  certificatesOf(keyId: string): readonly Edge[] {
    return [...this.nodesOf(keyId)].flatMap((node) => node.into)
  }

  key(keyId: string): CryptoKey | null {
    for (const node of this.nodesOf(keyId)) return node.key
    return null
  }

  async #take(certificates: readonly Certificate[], anchors: ReadonlySet<string>): Promise<void> {
    const waiting = new Map<string, Certificate[]>()
    const checks = new Map<Certificate, number>()
    const arrived: Node[] = []
    const enter = (certificate: Certificate, issuer: Node | null | 'itself', spki: Uint8Array) => {
      const fresh = this.#insert(certificate, issuer, identityUnder(certificate, spki))
      if (fresh) arrived.push(fresh)
    }
    for (const certificate of certificates) {
      if (this.#byFingerprint.has(certificate.fingerprint)) continue
      const selfIssued = toHex(certificate.issuer) === toHex(certificate.subject)
      if (selfIssued && (await isSignedBy(certificate, certificate.publicKey))) enter(certificate, 'itself', certificate.spki)
      else waiting.set(toHex(certificate.issuer), [...(waiting.get(toHex(certificate.issuer)) ?? []), certificate])
    }
    const settle = async () => {
      for (let node = arrived.shift(); node; node = arrived.shift()) {
        const left: Certificate[] = []
        for (const certificate of waiting.get(node.name) ?? []) {
          const spent = checks.get(certificate) ?? 0
          // The key it means is tried also when a crowd of the same name has used up the checks; no other is.
          const meant = means(certificate, node)
          const tried = meant ?? spent < CHECKS_PER_CERTIFICATE
          const signed = tried && (await isSignedBy(certificate, node.key))
          if (meant === null) checks.set(certificate, spent + 1)
          if (signed) enter(certificate, node, node.spki)
          else left.push(certificate)
        }
        waiting.set(node.name, left)
      }
    }
    await settle()
    for (const certificate of [...waiting.values()].flat()) {
      // Its issuer is unknown, so its identity is too: the name it gets here is nobody else's.
      if (anchors.has(certificate.fingerprint) && !this.#byFingerprint.has(certificate.fingerprint)) enter(certificate, null, certificate.issuer)
    }
    await settle()
  }

  /** The node, if the certificate made a new one. */
  #insert(certificate: Certificate, issuer: Node | null | 'itself', identity: string): Node | null {
    const same = this.#byIdentity.get(identity)
    if (same) {
      this.#byFingerprint.set(certificate.fingerprint, same)
      return null
    }
    const name = toHex(certificate.subject)
    const keys = this.#named.get(name) ?? new Map<string, Node>()
    this.#named.set(name, keys)
    const { keyId, publicKey: key, spki } = certificate
    const known = keys.get(keyId)
    const subject = known ?? { name, keyId, key, spki, into: [], out: [] }
    keys.set(keyId, subject)
    this.#keys.set(keyId, (this.#keys.get(keyId) ?? new Set()).add(subject))
    const edge: Edge = { certificate, identity, issuer: issuer === 'itself' ? subject : issuer, subject }
    subject.into.push(edge)
    edge.issuer?.out.push(edge)
    this.edges.push(edge)
    this.#byIdentity.set(identity, edge)
    this.#byFingerprint.set(certificate.fingerprint, edge)
    return known ? null : subject
  }
}

/** Null when the certificate does not say which key signed it. */
function means({ issuerHint }: Certificate, { spki }: Node): boolean | null {
  return issuerHint !== null && issuerHint.length >= MIN_HINT ? isCalled(spki, issuerHint) : null
}
