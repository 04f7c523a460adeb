/**
 * Statements: the only texts a key signs besides certificates and HTTP messages
 * (docs/protocol/statements.md). The context comes first and every field has its place, so a
 * signature made for one purpose is worthless for another.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes, toBase64Url, utf8 } from '../bytes'

/** The fields of each context; `statement` writes them in the order of `ORDER`, null as a dash. */
export interface Fields {
  'server-proof': Login
  'client-proof': Login
  'claim-offer': { readonly nonce: string; readonly server: string }
  'claim': { readonly nonce: string; readonly server: string; readonly operator: string; readonly callsign: string }
  'issue': Applicant & { readonly nonce: string }
  'issued': { readonly nonce: string; readonly certificate: string }
  'lotw': Applicant & { readonly server: string; readonly nonce: string }
  'endorse': Applicant & { readonly method: string }
  'checkpoint': { readonly server: string; readonly size: string; readonly head: string }
  'trust-bundle': { readonly server: string; readonly timestamp: string; readonly listing: string }
  'offer': Call
  'answer': Call & { readonly offered: string }
  'call-confirm': { readonly offer: string; readonly answer: string }
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

/** Who wants a certificate. */
export interface Applicant {
  /** The key id of the key in the request. */
  readonly key: string
  readonly callsign: string
  /** The class on the licence, null when it is not said. */
  readonly class: string | null
}

/** What an offer and its answer both speak of. */
export interface Call {
  /** 16 random bytes, base64url: the same in every offer and answer of one call. */
  readonly callId: string
  /** Decimal; rises with every offer and every answer of the call. */
  readonly counter: string
  /** The signer's certificate fingerprint. */
  readonly sender: string
  readonly callsign: string
  /** An operator's key id, or `guest:` and the client id. */
  readonly receiver: string
  /** SHA-256 of the whole session description, hex. */
  readonly sdp: string
}

const APPLICANT = ['key', 'callsign', 'class'] as const
const CALL = ['callId', 'counter', 'sender', 'callsign', 'receiver', 'sdp'] as const

const ORDER: { readonly [C in keyof Fields]: readonly (keyof Fields[C])[] } = {
  'server-proof': ['clientNonce', 'serverNonce', 'server', 'client', 'url'],
  'client-proof': ['clientNonce', 'serverNonce', 'server', 'client', 'url'],
  'claim-offer': ['nonce', 'server'],
  'claim': ['nonce', 'server', 'operator', 'callsign'],
  'issue': ['nonce', ...APPLICANT],
  'issued': ['nonce', 'certificate'],
  'lotw': ['server', 'nonce', ...APPLICANT],
  'endorse': [...APPLICANT, 'method'],
  'checkpoint': ['server', 'size', 'head'],
  'trust-bundle': ['server', 'timestamp', 'listing'],
  'offer': CALL,
  'answer': [...CALL, 'offered'],
  'call-confirm': ['offer', 'answer'],
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
