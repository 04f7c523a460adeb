/**
 * Certificates of stations, as docs/protocol/certificates.md fixes them: made, read and checked.
 *
 * Loaded lazily with its ASN.1 library. Invariants: nothing here judges dates; a certificate made
 * here carries its issuer's subject byte for byte; a signature is checked against a key we already
 * have reason to use, never against one searched for in what a stranger sent.
 */
// The library's container for its providers asks for this before it is loaded.
import 'reflect-metadata/lite'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type Bytes, fromPem, randomBytes, sameBytes, sha256Hex, toHex, toPem } from '../bytes'
import { exportPublicKey, importPublicKey, keyIdOf } from './keys'
import { decodeLicence, encodeLicence, type Licence, LICENCE_OID } from './licence'

/** A certificate with a P-256 key, taken apart. */
export interface Certificate {
  readonly pem: string
  readonly der: Bytes
  readonly fingerprint: string
  readonly keyId: string
  readonly publicKey: CryptoKey
  /** The subject's common name: a callsign. */
  readonly callsign: string
  readonly organizationalUnit: string | null
  readonly subject: Bytes
  readonly issuer: Bytes
  readonly licence: Licence | null
}

export interface Holder {
  readonly callsign: string
  readonly licenceClass: string | null
}

/** No expiry (RFC 5280, 4.1.2.5). */
const FOREVER = new Date(Date.UTC(9999, 11, 31, 23, 59, 59))
const ECDSA_SHA256 = { name: 'ECDSA', hash: 'SHA-256' }
/** The longest certificate that is looked at. */
const MAX_PEM = 16 * 1024

/** Null when the text is not one certificate with a P-256 key. */
export async function parseCertificate(pem: string): Promise<Certificate | null> {
  if (pem.length > MAX_PEM) return null
  const der = fromPem('CERTIFICATE', pem)
  return der && parseDer(der)
}

export async function parseDer(der: Bytes): Promise<Certificate | null> {
  try {
    const read = new X509Certificate(der)
    const spki = new Uint8Array(read.publicKey.rawData)
    const extension = read.getExtension(LICENCE_OID)
    const licence = extension ? decodeLicence(new Uint8Array(extension.value)) : null
    const [callsign, ...more] = read.subjectName.getField('CN')
    if (callsign === undefined || more.length > 0) return null
    if (extension && licence?.callsign !== callsign) return null
    return {
      pem: toPem('CERTIFICATE', der),
      der,
      fingerprint: sha256Hex(der),
      keyId: keyIdOf(spki),
      publicKey: await importPublicKey(spki),
      callsign,
      organizationalUnit: read.subjectName.getField('OU')[0] ?? null,
      subject: new Uint8Array(read.subjectName.toArrayBuffer()),
      issuer: new Uint8Array(read.issuerName.toArrayBuffer()),
      licence,
    }
  } catch {
    return null
  }
}

/** Whether `certificate` names this issuer and was signed by its key. */
export async function issuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  if (!sameBytes(certificate.issuer, issuer.subject)) return false
  try {
    return await new X509Certificate(certificate.der).verify({ publicKey: issuer.publicKey, signatureOnly: true })
  } catch {
    return false
  }
}

/** The certificate an operator gives to their own key: nobody vouches for it yet. */
export async function selfSigned(keys: CryptoKeyPair, holder: Holder): Promise<Certificate> {
  const name = new Name([{ CN: [{ utf8String: holder.callsign }] }])
  const keyId = keyIdOf(await exportPublicKey(keys.publicKey))
  const licence: Licence = { ...holder, method: 'self-asserted', vouchedBy: holder.callsign }
  return build({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    keyId,
    issuerKeyId: keyId,
    extra: [new Extension(LICENCE_OID, false, encodeLicence(licence))],
  })
}

/** The certificate that makes a server the owner's. */
export async function forServer(serverKey: CryptoKey, owner: Certificate, ownerKey: CryptoKey): Promise<Certificate> {
  return build({
    subject: new Name([{ CN: [{ utf8String: owner.callsign }] }, { OU: [{ utf8String: 'Server' }] }]),
    issuer: new X509Certificate(owner.der).subjectName,
    publicKey: serverKey,
    signingKey: ownerKey,
    keyId: keyIdOf(await exportPublicKey(serverKey)),
    issuerKeyId: owner.keyId,
    extra: [],
  })
}

interface Parts {
  readonly subject: Name
  readonly issuer: Name
  readonly publicKey: CryptoKey
  readonly signingKey: CryptoKey
  readonly keyId: string
  readonly issuerKeyId: string
  readonly extra: readonly Extension[]
}

async function build(parts: Parts): Promise<Certificate> {
  const built = await X509CertificateGenerator.create({
    serialNumber: toHex(serial()),
    subject: parts.subject,
    issuer: parts.issuer,
    notBefore: new Date(),
    notAfter: FOREVER,
    publicKey: parts.publicKey,
    signingKey: parts.signingKey,
    signingAlgorithm: ECDSA_SHA256,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
        true,
      ),
      new SubjectKeyIdentifierExtension(hint(parts.keyId)),
      new AuthorityKeyIdentifierExtension(hint(parts.issuerKeyId)),
      ...parts.extra,
    ],
  })
  const certificate = await parseDer(new Uint8Array(built.rawData))
  if (!certificate) throw new Error('a certificate just made cannot be read back')
  return certificate
}

/** 128 random bits. The writer adds the zero byte of a positive INTEGER but removes none: so none leads. */
function serial(): Bytes {
  const bytes = randomBytes(16)
  return bytes[0] === 0 ? serial() : bytes
}

/** The first 20 bytes of a key id. */
function hint(keyId: string): string {
  return keyId.slice(0, 40)
}
