/**
 * An operator's identity in this browser: certificate and key.
 *
 * Invariants: the stored key cannot be read back (non-extractable); `exportable` lives only in the
 * page's life that made or imported the key and is never stored.
 */
import { type Bytes, fromPem } from '../bytes'
import type { IdentityView } from '../../model'
import { Problem } from '../problem'
import { type Certificate, issuedBy, parseCertificate, parseDer } from './certificate'
import { type Holder, selfSigned } from './issue'
import { belongTogether, exportPrivateKey, generateKeys, importPrivateKey, sealed } from './keys'
import { readKeyFile } from './p12/read'
import { writeKeyFile } from './p12/write'

/** What the browser's database holds. */
export interface StoredIdentity {
  readonly certificate: string
  /** The certificates above it, the issuer first. */
  readonly chain: readonly string[]
  readonly privateKey: CryptoKey
  readonly backedUp: boolean
}

export interface Identity extends StoredIdentity {
  readonly parsed: Certificate
  /** The key before it was sealed. */
  readonly exportable: CryptoKey | null
}

export async function makeIdentity(holder: Holder): Promise<Identity> {
  const keys = await generateKeys()
  const parsed = await selfSigned(keys, holder)
  return {
    certificate: parsed.pem,
    chain: [],
    privateKey: await sealed(keys.privateKey),
    backedUp: false,
    parsed,
    exportable: keys.privateKey,
  }
}

/** Reads an operator's key file. Rejects with a `Problem`. */
export async function identityFromFile(bytes: Bytes, password: string): Promise<Identity> {
  const content = await readKeyFile(bytes, password)
  const [pkcs8, second] = content.privateKeys
  if (!pkcs8) throw new Problem('This file holds certificates but no key. Export it again together with the key.')
  if (second) throw new Problem('This file holds several keys. Export the one of your callsign alone.')
  const key = await importPrivateKey(pkcs8).catch(() => {
    throw new Problem('The key in this file is of another kind. An operator key of ham-server is needed; a Logbook of the World key proves a licence but cannot sign here.')
  })
  const certificates = (await Promise.all(content.certificates.map(parseDer))).filter((read) => read !== null)
  const parsed = await holderOf(key, certificates)
  if (!parsed) throw new Problem('This file has no certificate for its key. Export it again with the certificate.')
  if (!parsed.licence) throw new Problem(`The certificate of ${parsed.callsign} in this file is not an operator's: it does not say how the licence was checked.`)
  const above = await chainOf(parsed, certificates)
  return {
    certificate: parsed.pem,
    chain: above.map((certificate) => certificate.pem),
    privateKey: await sealed(key),
    backedUp: true,
    parsed,
    exportable: key,
  }
}

/** Null when what is stored cannot be read any more. */
export async function identityFromStore(stored: StoredIdentity): Promise<Identity | null> {
  const parsed = await parseCertificate(stored.certificate)
  return parsed?.licence ? { ...stored, parsed, exportable: null } : null
}

export async function keyFileOf(identity: Identity, password: string): Promise<Bytes | null> {
  if (!identity.exportable) return null
  const above = identity.chain.map((pem) => fromPem('CERTIFICATE', pem)).filter((der) => der !== null)
  return writeKeyFile(
    {
      privateKey: await exportPrivateKey(identity.exportable),
      certificates: [identity.parsed.der, ...above],
      name: identity.parsed.callsign,
      localKeyId: Uint8Array.from(identity.parsed.keyId.slice(0, 40).match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
    },
    password,
  )
}

export function viewOf(identity: Identity): IdentityView {
  const { parsed } = identity
  return {
    callsign: parsed.callsign,
    keyId: parsed.keyId,
    fingerprint: parsed.fingerprint,
    licenceClass: parsed.licence?.licenceClass ?? null,
    vouchedBy: parsed.licence?.vouchedBy ?? parsed.callsign,
    method: parsed.licence?.method ?? 'self-asserted',
    exportable: identity.exportable !== null,
    backedUp: identity.backedUp,
  }
}

async function holderOf(key: CryptoKey, certificates: readonly Certificate[]): Promise<Certificate | null> {
  for (const certificate of certificates) {
    if (await belongTogether(key, certificate.publicKey)) return certificate
  }
  return null
}

/** The issuers among the others, upward; a key file of a few kilobytes bounds the search. */
async function chainOf(holder: Certificate, certificates: readonly Certificate[]): Promise<readonly Certificate[]> {
  const chain: Certificate[] = []
  let last = holder
  for (;;) {
    let next: Certificate | null = null
    for (const candidate of certificates) {
      const known = candidate === holder || chain.includes(candidate)
      if (!known && (await issuedBy(last, candidate))) next = candidate
    }
    if (!next) return chain
    chain.push(next)
    last = next
  }
}

