/**
 * This browser's hand and eye for calls: signs as the operator who is logged in, and judges others'
 * certificates by what it believes itself. The cryptography is loaded with the first call that needs it.
 */
import type { PathStep, Proof } from '../../model'
import type { ChainVerdict } from '../trust/beliefs'
import type { Certificate } from '../trust/certificate'
import type { Identity } from '../trust/identity'
import type { Notary, Signatory, Signer } from './statements'

export interface NotaryHost {
  readonly identity: () => Identity | null
  readonly judge: (chain: readonly string[]) => Promise<ChainVerdict>
  /** The fingerprint of the server's owner, where it is proven. */
  readonly owner: () => string | null
}

/** Names we had at the server: what was on its way under one still means us. */
const MAX_NAMES = 8

export class BrowserNotary implements Notary {
  readonly #host: NotaryHost
  #names: readonly string[] = []

  constructor(host: NotaryHost) {
    this.#host = host
  }

  /** The server gave us this name. */
  registered(clientId: string): void {
    this.#names = [...this.#names.filter((name) => name !== guest(clientId)), guest(clientId)].slice(-MAX_NAMES)
  }

  get canCheck(): boolean {
    return globalThis.isSecureContext
  }

  isUs(receiver: string): boolean {
    return this.#host.identity()?.parsed.keyId === receiver || this.#names.includes(receiver)
  }

  signer(): Signer | null {
    const identity = this.#host.identity()
    if (!identity) return null
    const { parsed, privateKey } = identity
    return {
      callsign: parsed.callsign,
      fingerprint: parsed.fingerprint,
      sign: async (text) => {
        const { signStatement } = await import('../trust/operator')
        return signStatement(privateKey, text)
      },
    }
  }

  async signatory(chain: readonly string[]): Promise<Signatory | null> {
    const [verdict, { verifyStatement }] = await Promise.all([this.#host.judge(chain), import('../trust/operator')])
    if (verdict.kind === 'unreadable') return null
    const { callsign, fingerprint, keyId, publicKey, licence } = verdict.certificate
    // Servers do not talk to people.
    if (!licence) return null
    return { callsign, fingerprint, keyId, proof: proofOf(verdict, this.#host.owner()), verify: (text, signature) => verifyStatement(publicKey, text, signature) }
  }
}

/** How statements name somebody without a key. */
export function guest(clientId: string): string {
  return `guest:${clientId}`
}

function proofOf(verdict: Exclude<ChainVerdict, { kind: 'unreadable' }>, owner: string | null): Proof {
  const { certificate } = verdict
  if (verdict.kind === 'not-trusted') return { kind: 'unproven', why: whyNot(verdict.why), certificate: stepOf(certificate) }
  const [, issuer] = verdict.path
  const path = verdict.path.map(stepOf)
  if (!issuer) return { kind: 'proven', voucher: certificate.fingerprint === owner ? 'owner' : 'root', path }
  const method = certificate.licence?.method ?? 'self-asserted'
  return { kind: 'proven', voucher: { callsign: issuer.callsign, server: issuer.server, method }, path }
}

function whyNot(why: Extract<ChainVerdict, { kind: 'not-trusted' }>['why']): Extract<Proof, { kind: 'unproven' }>['why'] {
  switch (why) {
    case 'untrusted':
    case 'waiting':
      return 'nobody-known'
    case 'withdrawn':
    case 'revoked':
      return 'withdrawn'
    case 'blacklisted':
    case 'blacklisted-key':
    case 'blacklisted-subtree':
      return 'distrusted'
    case 'successors':
    case 'awaits-owner':
      return 'disputed'
  }
}

function stepOf({ callsign, server, fingerprint }: Certificate): PathStep {
  return { callsign, server, fingerprint }
}
