/** Triple DES and RC2, for reading files that old programs wrote. Loaded only when such a file is met. */
import des from 'node-forge/lib/des.js'
import rc2 from 'node-forge/lib/rc2.js'
import util from 'node-forge/lib/util.js'
import type { Bytes } from '../../bytes'
import { Unreadable } from './der'

export function decryptDes(key: Bytes, iv: Bytes, ciphertext: Bytes): Bytes {
  return run(des.createDecryptionCipher(binary(key)), iv, ciphertext)
}

export function decryptRc2(key: Bytes, iv: Bytes, ciphertext: Bytes): Bytes {
  return run(rc2.createDecryptionCipher(binary(key), key.length * 8), iv, ciphertext)
}

function run(cipher: ReturnType<typeof des.createDecryptionCipher>, iv: Bytes, ciphertext: Bytes): Bytes {
  cipher.start(binary(iv))
  cipher.update(util.createBuffer(binary(ciphertext)))
  if (!cipher.finish()) throw new Unreadable('padding')
  return Uint8Array.from(cipher.output.getBytes(), (letter) => letter.charCodeAt(0))
}

/** The library's form of bytes: a string with one letter for each. */
function binary(bytes: Bytes): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}
