/**
 * Statements: the only texts a key signs besides certificates and HTTP messages
 * (docs/protocol/statements.md). The context comes first and every field has its place, so a
 * signature made for one purpose is worthless for another.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes, toBase64Url, utf8 } from '../bytes'

/** The fields of each context; `statement` writes them in this order. */
interface Fields {
  'server-proof': Login
  'client-proof': Login
  'claim-offer': { readonly nonce: string; readonly server: string }
  'claim': { readonly nonce: string; readonly server: string; readonly operator: string; readonly callsign: string }
  'tombstone': { readonly signer: string; readonly target: string }
  'rekey': { readonly old: string; readonly new: string; readonly callsign: string; readonly generation: string }
}

export interface Login {
  readonly clientNonce: string
  readonly serverNonce: string
  /** The server certificate's fingerprint. */
  readonly server: string
  /** The client certificate's fingerprint, null for none. */
  readonly client: string | null
  /** The WebSocket URL exactly as it was dialled. */
  readonly url: string
}

const ORDER: { readonly [C in keyof Fields]: readonly (keyof Fields[C])[] } = {
  'server-proof': ['clientNonce', 'serverNonce', 'server', 'client', 'url'],
  'client-proof': ['clientNonce', 'serverNonce', 'server', 'client', 'url'],
  'claim-offer': ['nonce', 'server'],
  'claim': ['nonce', 'server', 'operator', 'callsign'],
  'tombstone': ['signer', 'target'],
  'rekey': ['old', 'new', 'callsign', 'generation'],
}

/** Throws when a field could be read as something else: empty, too long, or with control characters. */
export function statement<C extends keyof Fields>(context: C, fields: Fields[C]): string {
  const lines = ORDER[context].map((name) => {
    const value = (fields[name] as string | null) ?? '-'
    const length = utf8(value).length
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line feed would start another field.
    if (length < 1 || length > 512 || /[\u0000-\u001f\u007f-\u009f]/.test(value)) {
      throw new Error(`the field ${String(name)} of a ${context} statement cannot be written`)
    }
    return value
  })
  return [`ham-server/1 ${context}`, ...lines].join('\n')
}

export function freshNonce(): string {
  return toBase64Url(randomBytes(32))
}

/** Proof of knowing a shared code, which itself is never sent. */
export function codeProof(code: string, text: string): string {
  const key = code.toUpperCase().replace(/[\s-]/g, '')
  return toBase64Url(hmac(sha256, utf8(key), utf8(text)))
}
