/** Keys from passwords as PKCS#12 makes them (RFC 7292, appendix B.2). */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { type Bytes, concat } from '../../bytes'

export const HASHES = { sha1, sha256, sha384, sha512 } as const
export type HashName = keyof typeof HASHES

/** What the derived bytes are for (B.3). */
export const PURPOSE = { key: 1, iv: 2, mac: 3 } as const

export function derive(
  hashName: HashName,
  purpose: number,
  password: string,
  salt: Bytes,
  iterations: number,
  length: number,
): Bytes {
  const hash = HASHES[hashName]
  const block = hash.blockLen
  const input = concat(repeated(salt, block), repeated(bmpPassword(password), block))
  const out: Uint8Array[] = []
  for (let have = 0; have < length; have += hash.outputLen) {
    let digest = hash(concat(new Uint8Array(block).fill(purpose), input))
    for (let round = 1; round < iterations; round++) digest = hash(digest)
    out.push(digest)
    const addend = repeated(new Uint8Array(digest), block).subarray(0, block)
    for (let at = 0; at < input.length; at += block) addPlusOne(input.subarray(at, at + block), addend)
  }
  return concat(...out).slice(0, length)
}

/** UTF-16, big-endian, with a terminating zero (B.1). */
function bmpPassword(password: string): Bytes {
  const bytes = new Uint8Array(password.length * 2 + 2)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < password.length; at++) view.setUint16(at * 2, password.charCodeAt(at))
  return bytes
}

/** Copies one after the other up to a multiple of the block, the last one cut. */
function repeated(bytes: Bytes, block: number): Bytes {
  const whole = new Uint8Array(block * Math.ceil(bytes.length / block))
  for (let at = 0; at < whole.length; at++) whole[at] = bytes[at % bytes.length] ?? 0
  return whole
}

/** `target = target + addend + 1` as big-endian numbers, the overflow dropped. */
function addPlusOne(target: Uint8Array, addend: Uint8Array): void {
  let carry = 1
  for (let at = target.length - 1; at >= 0; at--) {
    carry += (target[at] ?? 0) + (addend[at] ?? 0)
    target[at] = carry % 256
    carry = Math.floor(carry / 256)
  }
}
