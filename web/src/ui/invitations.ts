/**
 * Links that people hand each other on the way to a certificate. All that matters stands after the `#`, which
 * browsers send to nobody.
 *
 *   #/become/1.CALLSIGN.CLASS.CODE      a code of the owner's
 *   #/endorse/1.KEY.CALLSIGN.CLASS      a request that operators endorse
 *   #/endorsed/1.KEY.SIGNATURE          an operator's word, to be handed back
 */
import type { ServerView } from '../model'
import type { Endorsement, EndorsementRequest } from '../model-certificates'
import { routeHash } from './route'

export interface CodeInvitation {
  readonly callsign: string
  readonly licenceClass: string
  readonly code: string
}

type Invited = Pick<ServerView, 'secureAddress' | 'addresses'>

export function codeLink(server: Invited, { callsign, licenceClass, code }: CodeInvitation): string {
  return link(server, routeHash({ page: 'become', text: write(callsign, licenceClass, code) }))
}

export function requestLink(server: Invited, { keyId, callsign, licenceClass }: EndorsementRequest): string {
  return link(server, routeHash({ page: 'endorse', text: write(keyId, callsign, licenceClass ?? '') }))
}

export function endorsementLink(server: Invited, { keyId, signature }: Endorsement): string {
  return link(server, routeHash({ page: 'endorsed', text: write(keyId, signature) }))
}

/** Null for a text that is none, or cut. */
export function readCode(text: string): CodeInvitation | null {
  const [callsign, licenceClass, code, ...more] = read(text) ?? []
  if (!callsign || licenceClass === undefined || !code || more.length > 0) return null
  return { callsign, licenceClass, code }
}

export function readRequest(text: string): EndorsementRequest | null {
  const [keyId, callsign, licenceClass, ...more] = read(text) ?? []
  if (!keyId || !KEY.test(keyId) || !callsign || licenceClass === undefined || more.length > 0) return null
  return { keyId, callsign, licenceClass: licenceClass || null }
}

/** Also from a whole link, or from a message around it. */
export function readEndorsement(text: string): Endorsement | null {
  const [keyId, signature] = /\b1\.([0-9a-f]{64})\.([\w-]{86})(?![\w-])/.exec(text)?.slice(1) ?? []
  return keyId && signature ? { keyId, signature } : null
}

const KEY = /^[0-9a-f]{64}$/

/** The address that lasts, because keys stay with the address they were made at. */
function link({ secureAddress, addresses }: Invited, hash: string): string {
  return `${secureAddress?.urls[0] ?? addresses[0] ?? location.origin}/${hash}`
}

function write(...parts: readonly string[]): string {
  return ['1', ...parts.map((part) => encodeURIComponent(part).replaceAll('.', '%2E'))].join('.')
}

function read(text: string): readonly string[] | null {
  const [version, ...parts] = text.split('.')
  try {
    return version === '1' ? parts.map(decodeURIComponent) : null
  } catch {
    return null
  }
}
