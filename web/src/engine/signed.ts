/**
 * Signed requests (RFC 9421; docs/protocol/http.md): what only an operator or the owner may ask of the server.
 *
 * Invariant: a key signs a text built here. Of the server's it holds a nonce and a tag, whose form is
 * checked first, so that the server cannot smuggle in anything else to be signed.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Nonce } from '../wire/http'
import { toBase64, utf8 } from './bytes'
import { Problem } from './problem'
import type { Identity } from './trust/identity'
import { signRequest } from './trust/keys'

const NONCE = /^[\w-]{43}$/
const TAG = /^ham-server\/([0-9a-f]{64}|-)$/

/** What is asked of the server. */
export interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** The whole URL. */
  readonly target: string
  readonly body?: string
}

/** The headers that make a request the operator's. Rejects with a `Problem`. */
export async function signedHeaders(
  identity: Pick<Identity, 'parsed' | 'privateKey'>,
  { method, target, body }: Asked,
  offer: Nonce,
): Promise<Readonly<Record<string, string>>> {
  if (!NONCE.test(offer.nonce) || !TAG.test(offer.tag)) {
    throw new Problem('The server asks for a signature in a form this app does not know. Reload the page.')
  }
  const created = Math.floor(Date.now() / 1000)
  const digest = body === undefined ? null : `sha-256=:${toBase64(sha256(utf8(body)))}:`
  const covered = `"@method" "@target-uri"${digest === null ? '' : ' "content-digest"'}`
  const parameters = `(${covered});created=${created};nonce="${offer.nonce}";keyid="${identity.parsed.fingerprint}";alg="ecdsa-p256-sha256";tag="${offer.tag}"`
  const lines = [`"@method": ${method}`, `"@target-uri": ${target}`, digest === null ? [] : `"content-digest": ${digest}`, `"@signature-params": ${parameters}`]
  const base = lines.flat().join('\n')
  return {
    ...(digest === null ? {} : { 'content-digest': digest }),
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${toBase64(await signRequest(identity.privateKey, base))}:`,
  }
}
