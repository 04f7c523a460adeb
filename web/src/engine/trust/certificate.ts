/**
 * Certificates of stations, as docs/protocol/certificates.md fixes them: read strictly, and checked.
 *
 * Loaded lazily with its ASN.1 library. Invariants: nothing here judges dates; what is read is strict DER,
 * so that a certificate's identity is one however its signature is written; a signature is checked
 * against a key we already have reason to use, never against one searched for in what a stranger sent.
 */
import { AuthorityKeyIdentifierExtension, BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from './x509'
import { type Bytes, concat, fromPem, sameBytes, sha256Hex, toPem } from '../bytes'
import { isCallsign } from './callsign'
import { importPublicKey, keyIdOf } from './keys'
import { decodeLicence, type Licence, LICENCE_OID } from './licence'
import { type Element, isStrictDer, membersOf, TAG } from './strict-der'

/** A certificate with a P-256 key, taken apart. */
export interface Certificate {
  readonly pem: string
  readonly der: Bytes
  readonly fingerprint: string
  readonly keyId: string
  readonly publicKey: CryptoKey
  /** The holder's SubjectPublicKeyInfo, DER. */
  readonly spki: Bytes
  /** The part that is signed, DER. */
  readonly tbs: Bytes
  /** 64 bytes r‖s. */
  readonly signature: Bytes
  /** The subject's common name: a callsign. */
  readonly callsign: string
  readonly organizationalUnit: string | null
  /** It is a server's, not a person's. */
  readonly server: boolean
  readonly subject: Bytes
  readonly issuer: Bytes
  /** What it says of its issuer's key, hex: a hint, chosen by whoever wrote it. */
  readonly issuerHint: string | null
  /** A CA without a path length or name constraints: only such holders issue here. */
  readonly mayIssue: boolean
  readonly licence: Licence | null
  /** The time its maker's clock showed, milliseconds since 1970; informative. */
  readonly notBefore: number
}

/** The longest certificate that is looked at. */
const MAX_DER = 16 * 1024
const MAX_PEM = 24 * 1024

/** Null when the text is not one certificate with a P-256 key. */
export async function parseCertificate(pem: string): Promise<Certificate | null> {
  if (pem.length > MAX_PEM) return null
  const der = fromPem('CERTIFICATE', pem)
  return der && parseDer(der)
}

export async function parseDer(der: Bytes): Promise<Certificate | null> {
  try {
    const parts = der.length <= MAX_DER && isStrictDer(der) ? partsOf(der) : null
    return parts && (await read(der, parts))
  } catch {
    return null
  }
}

/** Whether `certificate` names this issuer and was signed by its key. */
export async function issuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  return sameBytes(certificate.issuer, issuer.subject) && isSignedBy(certificate, issuer.publicKey)
}

/** One signature check, whatever the names say. */
export async function isSignedBy(certificate: Certificate, key: CryptoKey): Promise<boolean> {
  return crypto.subtle.verify(ECDSA_SHA256, key, certificate.signature, certificate.tbs)
}

/** What a certificate is known by when this key issued it, however its signature is written. */
export function identityUnder(certificate: Certificate, issuerSpki: Uint8Array): string {
  return sha256Hex(concat(issuerSpki, certificate.tbs))
}

export const ECDSA_SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const
const ECDSA_WITH_SHA256 = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
const SERVER_UNIT = 'Server'

const OID = {
  commonName: '2.5.4.3',
  organizationalUnit: '2.5.4.11',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
} as const

/** Where the parts lie (RFC 5280, 4.1). */
interface Parts {
  readonly tbs: Bytes
  readonly issuer: Bytes
  readonly subject: Bytes
  readonly spki: Bytes
  readonly signature: Bytes
}

/** Null for another version, serial or algorithm than ours (docs/protocol/certificates.md). */
function partsOf(der: Bytes): Parts | null {
  const members = (parent: Element | undefined) => (parent && membersOf(der, parent)) ?? []
  const bytes = ({ start, end }: Element) => der.slice(start, end)
  const [outer] = membersOf(der, { content: 0, end: der.length }) ?? []
  const [tbs, algorithm, signature, ...more] = members(outer)
  const [version, serial, inner, issuer, , subject, spki, ...rest] = members(tbs)
  if (!(tbs && algorithm && signature && version && serial && inner && issuer && subject && spki) || more.length > 0) return null
  // Version 3 is the number 2; the unique identifiers of version 2 have the tags [1] and [2].
  if (!sameBytes(bytes(version), VERSION_3) || rest.length > 1 || (rest[0] && rest[0].tag !== 0xa3)) return null
  if (!isSerial(der, serial) || ![algorithm, inner].every((one) => sameBytes(bytes(one), Uint8Array.from(ECDSA_WITH_SHA256)))) return null
  const raw = signature.tag === TAG.bitString && der[signature.content] === 0 ? rawSignature(der.slice(signature.content + 1, signature.end)) : null
  return raw && { tbs: bytes(tbs), issuer: bytes(issuer), subject: bytes(subject), spki: bytes(spki), signature: raw }
}

const VERSION_3 = Uint8Array.of(0xa0, 0x03, 0x02, 0x01, 0x02)

/** Positive, at most 20 bytes (RFC 5280, 4.1.2.2). */
function isSerial(der: Bytes, { tag, content, end }: Element): boolean {
  const length = end - content
  const first = der[content] ?? 0
  return tag === TAG.integer && length <= 20 && first < 0x80 && (length > 1 || first > 0)
}

/** ECDSA-Sig-Value (RFC 5480) as r‖s; null when a number is negative or too long for P-256. */
function rawSignature(der: Bytes): Bytes | null {
  if (!isStrictDer(der)) return null
  const [outer] = membersOf(der, { content: 0, end: der.length }) ?? []
  const numbers = (outer?.tag === TAG.sequence && membersOf(der, outer)) || []
  if (numbers.length !== 2) return null
  const raw = new Uint8Array(64)
  for (const [index, { tag, content, end }] of numbers.entries()) {
    const number = der.subarray(der[content] === 0 ? content + 1 : content, end)
    if (tag !== TAG.integer || (der[content] ?? 0) >= 0x80 || number.length > 32) return null
    raw.set(number, (index + 1) * 32 - number.length)
  }
  return raw
}

async function read(der: Bytes, parts: Parts): Promise<Certificate | null> {
  const certificate = new X509Certificate(der)
  const subject = certificate.subjectName
  const [callsign = '', ...others] = subject.getField(OID.commonName)
  const [unit = null, ...units] = subject.getField(OID.organizationalUnit)
  const extensions = readExtensions(certificate)
  if (!isCallsign(callsign) || others.length > 0 || units.length > 0 || !extensions) return null
  // People read the voucher's name in it, so nobody may write another's than their own.
  const issuers = certificate.issuerName.getField(OID.commonName)
  const { licence } = extensions
  if (licence && (licence.callsign !== callsign || issuers.length !== 1 || issuers[0] !== licence.vouchedBy)) return null
  return {
    pem: toPem('CERTIFICATE', der),
    der,
    fingerprint: sha256Hex(der),
    keyId: keyIdOf(parts.spki),
    publicKey: await importPublicKey(parts.spki),
    callsign,
    organizationalUnit: unit,
    server: unit === SERVER_UNIT,
    ...extensions,
    ...parts,
    notBefore: certificate.notBefore.getTime(),
  }
}

/** Null for one twice, a critical one that is not known here, and a licence that cannot be read. */
function readExtensions(certificate: X509Certificate): Pick<Certificate, 'mayIssue' | 'issuerHint' | 'licence'> | null {
  const found = { authority: false, signs: true, constrained: false, issuerHint: null as string | null, licence: null as Licence | null }
  const seen = new Set<string>()
  for (const extension of certificate.extensions) {
    if (seen.has(extension.type)) return null
    seen.add(extension.type)
    const value = new Uint8Array(extension.value)
    switch (extension.type) {
      case OID.basicConstraints: {
        if (!isStrictDer(value)) return null
        const { ca, pathLength } = new BasicConstraintsExtension(extension.rawData)
        found.authority = ca
        if (pathLength !== undefined) found.constrained = true
        break
      }
      case OID.keyUsage:
        if (!isStrictDer(value)) return null
        found.signs = (new KeyUsagesExtension(extension.rawData).usages & KeyUsageFlags.keyCertSign) !== 0
        break
      case OID.nameConstraints:
        found.constrained = true
        break
      case OID.subjectKeyIdentifier:
        if (extension.critical || !isStrictDer(value)) return null
        break
      case OID.authorityKeyIdentifier:
        if (extension.critical || !isStrictDer(value)) return null
        found.issuerHint = new AuthorityKeyIdentifierExtension(extension.rawData).keyId?.toLowerCase() ?? null
        break
      case LICENCE_OID:
        found.licence = decodeLicence(value)
        if (!found.licence) return null
        break
      default:
        if (extension.critical) return null
    }
  }
  const { authority, signs, constrained, issuerHint, licence } = found
  return { mayIssue: authority && signs && !constrained, issuerHint, licence }
}
