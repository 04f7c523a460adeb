/**
 * Writes an operator's key and certificates as a PKCS#12 file (RFC 7292): both bags encrypted with
 * AES, the whole protected by HMAC-SHA-256, the holder's own certificate first.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Bytes, randomBytes } from '../../bytes'
import { bmpString, decode, encode, explicit, implicitOctets, integer, type Node, nothing, octets, oid, sequence, set } from './der'
import { encrypt, ITERATIONS } from './encryption'
import { derive, PURPOSE } from './kdf'
import { OID } from './oids'

export interface KeyFile {
  readonly privateKey: Bytes
  /** DER, the holder's own first. */
  readonly certificates: readonly Bytes[]
  /** What programs show as the entry's name. */
  readonly name: string
  /** Ties the key to its certificate. */
  readonly localKeyId: Bytes
}

export async function writeKeyFile(file: KeyFile, password: string): Promise<Bytes> {
  const ofKey = attributes(file)
  const certificateBags = file.certificates.map((der, index) =>
    bag(OID.certBag, sequence(oid(OID.x509Certificate), explicit(0, octets(der))), index === 0 ? ofKey : null),
  )
  const key = await encrypt(file.privateKey, password)
  const shrouded = sequence(key.algorithm, octets(key.ciphertext))
  const certificates = await encrypt(encode(sequence(...certificateBags)), password)
  const safe = encode(
    sequence(
      sequence(
        oid(OID.encryptedData),
        explicit(
          0,
          sequence(
            integer(0),
            sequence(oid(OID.data), certificates.algorithm, implicitOctets(0, certificates.ciphertext)),
          ),
        ),
      ),
      data(encode(sequence(bag(OID.shroudedKeyBag, shrouded, ofKey)))),
    ),
  )
  return encode(sequence(integer(3), data(safe), mac(safe, password)))
}

function data(content: Bytes): Node {
  return sequence(oid(OID.data), explicit(0, octets(content)))
}

function bag(type: string, value: Node, attributesOfBag: Bytes | null): Node {
  const content = [oid(type), explicit(0, value)]
  return sequence(...content, ...(attributesOfBag ? [decode(attributesOfBag)] : []))
}

function attributes(file: KeyFile): Bytes {
  return encode(
    set(
      sequence(oid(OID.friendlyName), set(bmpString(file.name))),
      sequence(oid(OID.localKeyId), set(octets(file.localKeyId))),
    ),
  )
}

function mac(content: Bytes, password: string): Node {
  const salt = randomBytes(16)
  const key = derive('sha256', PURPOSE.mac, password, salt, ITERATIONS, 32)
  const digest = new Uint8Array(hmac(sha256, key, content))
  return sequence(
    sequence(sequence(oid(OID.sha256), nothing()), octets(digest)),
    octets(salt),
    integer(ITERATIONS),
  )
}
