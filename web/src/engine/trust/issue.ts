/**
 * Certificates and requests made in this browser, as docs/protocol/certificates.md lays them out.
 *
 * Invariant: nothing of what a stranger sent goes into a certificate but a public key; callsign, class and
 * method are what the person who signs chose. It carries its issuer's subject byte for byte.
 */
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequestGenerator,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './x509'
import { type Bytes, randomBytes, toHex, toPem } from '../bytes'
import { type Certificate, ECDSA_SHA256, parseDer } from './certificate'
import { exportPublicKey, keyIdOf } from './keys'
import { encodeLicence, type Licence, LICENCE_OID, type VouchMethod } from './licence'

export interface Holder {
  readonly callsign: string
  readonly licenceClass: string | null
}

/** No expiry (RFC 5280, 4.1.2.5). */
const FOREVER = new Date(Date.UTC(9999, 11, 31, 23, 59, 59))

/** The certificate an operator gives to their own key: nobody vouches for it yet. */
export async function selfSigned(keys: CryptoKeyPair, holder: Holder): Promise<Certificate> {
  const name = nameOf(holder.callsign)
  const keyId = keyIdOf(await exportPublicKey(keys.publicKey))
  return build({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    keyId,
    issuerKeyId: keyId,
    licence: { ...holder, method: 'self-asserted', vouchedBy: holder.callsign },
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
    licence: null,
  })
}

/** An operator's word for somebody's key, made with the operator's own: a certificate for that key. */
export async function vouchFor(
  key: CryptoKey,
  holder: Holder,
  method: VouchMethod,
  issuer: Certificate,
  issuerKey: CryptoKey,
): Promise<Certificate> {
  return build({
    subject: nameOf(holder.callsign),
    issuer: new X509Certificate(issuer.der).subjectName,
    publicKey: key,
    signingKey: issuerKey,
    keyId: keyIdOf(await exportPublicKey(key)),
    issuerKeyId: issuer.keyId,
    licence: { ...holder, method, vouchedBy: issuer.callsign },
  })
}

/** A request for a certificate (RFC 2986), PEM. It proves that we hold the key; the callsign in it is a hint. */
export async function requestFor(keys: CryptoKeyPair, callsign: string): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({ name: nameOf(callsign), keys, signingAlgorithm: ECDSA_SHA256 })
  return toPem('CERTIFICATE REQUEST', new Uint8Array(request.rawData))
}

interface Parts {
  readonly subject: Name
  readonly issuer: Name
  readonly publicKey: CryptoKey
  readonly signingKey: CryptoKey
  readonly keyId: string
  readonly issuerKeyId: string
  readonly licence: Licence | null
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
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      new SubjectKeyIdentifierExtension(hint(parts.keyId)),
      new AuthorityKeyIdentifierExtension(hint(parts.issuerKeyId)),
      ...(parts.licence ? [new Extension(LICENCE_OID, false, encodeLicence(parts.licence))] : []),
    ],
  })
  const certificate = await parseDer(new Uint8Array(built.rawData))
  if (!certificate) throw new Error('a certificate just made cannot be read back')
  return certificate
}

function nameOf(callsign: string): Name {
  return new Name([{ CN: [{ utf8String: callsign }] }])
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
