/**
 * Reads PKCS#12 files (RFC 7292) of other programs as well as our own.
 *
 * The integrity check comes first: what fails it is either damaged or opened with another password,
 * and nothing of it is used.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { type Bytes, sameBytes } from '../../bytes'
import { Problem } from '../../problem'
import { decode, encode, inner, members, type Node, numberOf, octetsOf, oidOf, Unreadable } from './der'
import { bounded, decrypt } from './encryption'
import { derive, HASHES, type HashName, PURPOSE } from './kdf'
import { OID } from './oids'

export interface KeyFileContent {
  /** PKCS#8. */
  readonly privateKeys: readonly Bytes[]
  /** DER, in the file's order. */
  readonly certificates: readonly Bytes[]
}

/** Key files are a few kilobytes. */
const MAX_BYTES = 1024 * 1024

/** Rejects with a `Problem`. */
export async function readKeyFile(bytes: Bytes, password: string): Promise<KeyFileContent> {
  try {
    return await read(bytes, password)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('This file cannot be read as a key file. Choose a .p12 file, or export it again with AES-256.')
  }
}

async function read(bytes: Bytes, password: string): Promise<KeyFileContent> {
  if (bytes.length > MAX_BYTES) throw new Problem('This file is too large for a key file. Choose a .p12 file.')
  const [, authSafe, macData] = members(decode(bytes))
  const safe = contentOf(authSafe)
  const fits = macData ? macFits(macData, safe, password) : true
  if (!fits) throw new Problem('The password does not fit this file.')

  const keys: Bytes[] = []
  const certificates: Bytes[] = []
  for (const content of members(decode(safe))) {
    for (const bag of members(decode(await bagsOf(content, password)))) {
      const [type, tagged] = members(bag)
      const value = inner(tagged)
      switch (oidOf(type)) {
        case OID.keyBag:
          keys.push(encode(value))
          break
        case OID.shroudedKeyBag:
          keys.push(await opened(value, password))
          break
        case OID.certBag:
          certificates.push(octetsOf(inner(members(value)[1])))
          break
      }
    }
  }
  return { privateKeys: keys, certificates }
}

function contentOf(info: Node | undefined): Bytes {
  const [type, content] = members(info)
  if (oidOf(type) !== OID.data) throw new Unreadable('plain content expected')
  return octetsOf(inner(content))
}

async function bagsOf(info: Node, password: string): Promise<Bytes> {
  const [type, content] = members(info)
  if (oidOf(type) !== OID.encryptedData) return contentOf(info)
  const [, encrypted] = members(inner(content))
  const [, algorithm, ciphertext] = members(encrypted)
  if (!algorithm) throw new Unreadable('an algorithm expected')
  return decryptOrExplain(algorithm, octetsOf(ciphertext), password)
}

async function opened(shrouded: Node, password: string): Promise<Bytes> {
  const [algorithm, ciphertext] = members(shrouded)
  if (!algorithm) throw new Unreadable('an algorithm expected')
  return decryptOrExplain(algorithm, octetsOf(ciphertext), password)
}

/** Files without an integrity check show a wrong password only here. */
async function decryptOrExplain(algorithm: Node, ciphertext: Bytes, password: string): Promise<Bytes> {
  try {
    return await decrypt({ algorithm, ciphertext }, password)
  } catch (error) {
    if (error instanceof Unreadable) throw error
    throw new Problem('The password does not fit this file.')
  }
}

function macFits(macData: Node, content: Bytes, password: string): boolean {
  const [digestInfo, salt, iterations] = members(macData)
  const [algorithm, digest] = members(digestInfo)
  const name = hashName(oidOf(inner(algorithm)))
  const rounds = iterations ? bounded(numberOf(iterations)) : 1
  const key = derive(name, PURPOSE.mac, password, octetsOf(salt), rounds, HASHES[name].outputLen)
  return sameBytes(hmac(HASHES[name], key, content), octetsOf(digest))
}

function hashName(id: string): HashName {
  for (const name of ['sha1', 'sha256', 'sha384', 'sha512'] as const) if (OID[name] === id) return name
  throw new Unreadable(`hash ${id}`)
}
