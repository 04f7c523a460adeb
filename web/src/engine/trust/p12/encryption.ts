/**
 * Password-based encryption of key files: PBES2 with AES both ways, and reading of the old ciphers.
 *
 * Work is bounded: a file's iteration count is a number a stranger may have chosen.
 */
import { type Bytes, randomBytes, utf8 } from '../../bytes'
import { derive, PURPOSE } from './kdf'
import { integer, inner, members, type Node, nothing, numberOf, octets, octetsOf, oid, oidOf, sequence, Unreadable } from './der'

export const ITERATIONS = 100_000
const MAX_ITERATIONS = 5_000_000

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const HMAC_SHA1 = '1.2.840.113549.2.7'
const HMAC_SHA256 = '1.2.840.113549.2.9'
const AES_256_CBC = '2.16.840.1.101.3.4.1.42'

const PRF: Readonly<Record<string, string>> = {
  [HMAC_SHA1]: 'SHA-1',
  [HMAC_SHA256]: 'SHA-256',
  '1.2.840.113549.2.10': 'SHA-384',
  '1.2.840.113549.2.11': 'SHA-512',
}
const AES_BITS: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.1.2': 128,
  '2.16.840.1.101.3.4.1.22': 192,
  [AES_256_CBC]: 256,
}

/** Ciphers that programs wrote before AES became usual, and the lengths of their keys. */
const OLD = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des', keyLength: 24 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyLength: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyLength: 5 },
} as const

export interface Encrypted {
  readonly algorithm: Node
  readonly ciphertext: Bytes
}

export async function encrypt(plaintext: Bytes, password: string): Promise<Encrypted> {
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const key = await aesKey(password, salt, ITERATIONS, 'SHA-256', 256, 'encrypt')
  return {
    algorithm: sequence(
      oid(PBES2),
      sequence(
        sequence(oid(PBKDF2), sequence(octets(salt), integer(ITERATIONS), sequence(oid(HMAC_SHA256), nothing()))),
        sequence(oid(AES_256_CBC), octets(iv)),
      ),
    ),
    ciphertext: new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, key, plaintext)),
  }
}

/** Rejects when the password does not fit. */
export async function decrypt({ algorithm, ciphertext }: Encrypted, password: string): Promise<Bytes> {
  const [name, parameters] = members(algorithm)
  const scheme = oidOf(name)
  if (scheme === PBES2) return decryptAes(parameters, ciphertext, password)
  if (scheme in OLD) return decryptOld(OLD[scheme as keyof typeof OLD], parameters, ciphertext, password)
  throw new Unreadable(`encryption ${scheme}`)
}

async function decryptAes(parameters: Node | undefined, ciphertext: Bytes, password: string): Promise<Bytes> {
  const [derivation, cipher] = members(parameters)
  const [derivationName, derivationParameters] = members(derivation)
  if (oidOf(derivationName) !== PBKDF2) throw new Unreadable('PBKDF2 expected')
  const [salt, iterations, ...rest] = members(derivationParameters)
  // An optional key length may stand before the optional hash; the hash is the one with members.
  const prf = rest.find((node) => node.idBlock.isConstructed)
  const hash = PRF[prf ? oidOf(inner(prf)) : HMAC_SHA1]
  const [cipherName, iv] = members(cipher)
  const bits = AES_BITS[oidOf(cipherName)]
  if (hash === undefined || bits === undefined) throw new Unreadable(`cipher ${oidOf(cipherName)}`)
  const key = await aesKey(password, octetsOf(salt), bounded(numberOf(iterations)), hash, bits, 'decrypt')
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-CBC', iv: octetsOf(iv) }, key, ciphertext))
}

async function decryptOld(
  { cipher, keyLength }: (typeof OLD)[keyof typeof OLD],
  parameters: Node | undefined,
  ciphertext: Bytes,
  password: string,
): Promise<Bytes> {
  const [saltNode, iterationsNode] = members(parameters)
  const salt = octetsOf(saltNode)
  const iterations = bounded(numberOf(iterationsNode))
  const key = derive('sha1', PURPOSE.key, password, salt, iterations, keyLength)
  const iv = derive('sha1', PURPOSE.iv, password, salt, iterations, 8)
  const { decryptDes, decryptRc2 } = await import('./old-ciphers')
  return cipher === 'des' ? decryptDes(key, iv, ciphertext) : decryptRc2(key, iv, ciphertext)
}

async function aesKey(
  password: string,
  salt: Bytes,
  iterations: number,
  hash: string,
  length: number,
  usage: 'encrypt' | 'decrypt',
): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', utf8(password), 'PBKDF2', false, ['deriveKey'])
  const derivation = { name: 'PBKDF2', salt, iterations, hash }
  return crypto.subtle.deriveKey(derivation, base, { name: 'AES-CBC', length }, false, [usage])
}

export function bounded(iterations: number): number {
  if (iterations < 1 || iterations > MAX_ITERATIONS) throw new Unreadable(`${iterations} iterations`)
  return iterations
}

