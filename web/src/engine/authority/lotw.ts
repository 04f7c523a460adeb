/**
 * The proof that a Logbook of the World certificate gives (docs/protocol/statements.md, `lotw`).
 *
 * Loaded when it is needed. Invariant: the file's key signs this one statement and is not kept.
 */
import { X509Certificate } from '../trust/x509'
import { type Bytes, sameBytes, toBase64Url, toPem, utf8 } from '../bytes'
import { Problem } from '../problem'
import { readKeyFile } from '../trust/p12/read'

export interface LotwProof {
  /** PEM, the user's own first. */
  readonly chain: readonly string[]
  readonly signature: string
}

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
/** The subject attribute that holds the callsign. */
const CALLSIGN = '1.3.6.1.4.1.12348.1.1'
/** As many as the server looks at. */
const MAX_CHAIN = 8

/** Rejects with a `Problem`. */
export async function lotwProof(file: Bytes, password: string, callsign: string, statement: string): Promise<LotwProof> {
  const content = await readKeyFile(file, password)
  const [pkcs8] = content.privateKeys
  if (!pkcs8) throw new Problem('This file holds certificates but no key. In TQSL, save the callsign certificate with its key as a .p12 file.')
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, RSA, true, ['sign']).catch(() => {
    throw new Problem('The key in this file is not one of Logbook of the World. If it is a ham-server key, bring it under Station instead.')
  })
  const certificates = content.certificates.map(readable).filter((one) => one !== null)
  const user = await holderOf(key, certificates)
  if (!user) throw new Problem('This file has no certificate for its key. In TQSL, save the callsign certificate again.')
  const [named] = user.subjectName.getField(CALLSIGN)
  if (named !== undefined && named.toUpperCase() !== callsign) {
    throw new Problem(`This file is the certificate of ${named}. Choose the one of ${callsign}, or ask as ${named}.`)
  }
  const signature = new Uint8Array(await crypto.subtle.sign(RSA.name, key, utf8(statement)))
  const chain = above(user, certificates).map((one) => toPem('CERTIFICATE', new Uint8Array(one.rawData)))
  return { chain, signature: toBase64Url(signature) }
}

function readable(der: Bytes): X509Certificate | null {
  try {
    return new X509Certificate(der)
  } catch {
    return null
  }
}

async function holderOf(key: CryptoKey, certificates: readonly X509Certificate[]): Promise<X509Certificate | null> {
  const secret = await crypto.subtle.exportKey('jwk', key)
  for (const certificate of certificates) {
    const held = await crypto.subtle.importKey('spki', certificate.publicKey.rawData, RSA, true, ['verify']).catch(() => null)
    if (held && (await crypto.subtle.exportKey('jwk', held)).n === secret.n) return certificate
  }
  return null
}

/** Upward by names alone: the server checks the signatures, and knows the roots. */
function above(user: X509Certificate, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = [user]
  for (let last = user; chain.length < MAX_CHAIN; ) {
    const issuer = new Uint8Array(last.issuerName.toArrayBuffer())
    const next = certificates.find((one) => !chain.includes(one) && sameBytes(new Uint8Array(one.subjectName.toArrayBuffer()), issuer))
    if (!next) break
    chain.push(next)
    last = next
  }
  return chain
}
