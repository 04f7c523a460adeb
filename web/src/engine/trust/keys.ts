/**
 * P-256 keys by WebCrypto. Only in secure contexts: elsewhere `crypto.subtle` does not exist and no
 * key is ever made or used.
 */
import { type Bytes, fromBase64Url, sha256Hex, toBase64Url, toHex, utf8 } from '../bytes'

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const
/** A SubjectPublicKeyInfo up to the point's coordinates (RFC 5480, 2). */
const UNCOMPRESSED_P256 = '3059301306072a8648ce3d020106082a8648ce3d03010703420004'

/** A key pair whose private half may still be written to a file. */
export async function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
}

/** The same private key, from which no program can read the secret any more. */
export async function sealed(key: CryptoKey): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', await crypto.subtle.exportKey('pkcs8', key), P256, false, ['sign'])
}

/** Rejects for keys other than P-256. */
export async function importPrivateKey(pkcs8: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', pkcs8, P256, true, ['sign'])
}

/** Rejects for keys other than P-256, and for one in another form than the usual: a key has one id. */
export async function importPublicKey(spki: Bytes): Promise<CryptoKey> {
  if (spki.length !== 91 || toHex(spki.subarray(0, 27)) !== UNCOMPRESSED_P256) throw new Error('not a P-256 key')
  return crypto.subtle.importKey('spki', spki, P256, true, ['verify'])
}

export async function exportPublicKey(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey('spki', key))
}

export async function exportPrivateKey(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey('pkcs8', key))
}

/** Whether the two halves belong together, found without signing anything. */
export async function belongTogether(privateKey: CryptoKey, publicKey: CryptoKey): Promise<boolean> {
  const [secret, open] = await Promise.all([
    crypto.subtle.exportKey('jwk', privateKey),
    crypto.subtle.exportKey('jwk', publicKey),
  ])
  return secret.x === open.x && secret.y === open.y
}

/** SHA-256 of the SubjectPublicKeyInfo, the name of a key. */
export function keyIdOf(spki: Uint8Array): string {
  return sha256Hex(spki)
}

/** Signs a statement: 64 bytes r‖s, base64url. */
export async function signStatement(key: CryptoKey, text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.sign(SHA256, key, utf8(text))))
}

/** Signs an HTTP request's signature base: 64 bytes r‖s. */
export async function signRequest(key: CryptoKey, base: string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(SHA256, key, utf8(base)))
}

export async function verifyStatement(key: CryptoKey, text: string, signature: string): Promise<boolean> {
  const bytes = fromBase64Url(signature)
  return bytes?.length === 64 && crypto.subtle.verify(SHA256, key, bytes, utf8(text))
}
