/**
 * Which key a certificate's authority key identifier means (RFC 5280, 4.2.1.1).
 *
 * An ECDSA signature holds under two keys: whoever sees one can compute the second, though nobody can sign with
 * it. A certificate that says whose key signed it is therefore found under that key only. What decides is computed
 * from the key: the identifier that another certificate gives it was chosen by whoever wrote that one.
 */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256Hex, toHex } from '../bytes'

/** Shorter identifiers would fit too many keys, and say nothing; hex digits. */
export const MIN_HINT = 16

/** Bytes of a P-256 SubjectPublicKeyInfo before its point. */
const POINT_AT = 26

/**
 * Whether the identifier, in hex, is this key's: the beginning of its key id, as in our own certificates, or of the
 * SHA-256 of its point (RFC 7093, 2), or made of the SHA-1 of its point by one of the two ways of RFC 5280, 4.2.1.2.
 */
export function isCalled(spki: Uint8Array, hint: string): boolean {
  const point = spki.subarray(POINT_AT)
  if (sha256Hex(spki).startsWith(hint) || sha256Hex(point).startsWith(hint)) return true
  const whole = toHex(sha1(point))
  return hint === whole || hint === `4${whole.slice(25)}`
}
