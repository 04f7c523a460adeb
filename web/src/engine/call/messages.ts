/**
 * Messages of the control channel (docs/protocol/conversation.md).
 *
 * The other end may be anybody: what does not fit its type and bounds is not a message, and types
 * that are not known are ignored.
 */
import { utf8 } from '../bytes'

export type Control =
  | { readonly type: 'call-confirm'; readonly offer: string; readonly answer: string; readonly signature: string | null }
  | { readonly type: 'hello'; readonly version: number }
  | { readonly type: 'text'; readonly id: string; readonly text: string }
  | { readonly type: 'received'; readonly id: string }
  | { readonly type: 'file-offer'; readonly id: string; readonly name: string; readonly size: number; readonly mediaType: string }
  | { readonly type: 'file-accept'; readonly id: string }
  | { readonly type: 'file-stop'; readonly id: string; readonly why: StopReason }
  | { readonly type: 'file-progress'; readonly id: string; readonly received: number }
  | { readonly type: 'file-result'; readonly id: string; readonly sha256: string }
  | { readonly type: 'moved'; readonly session: string }
  | { readonly type: 'bye' }

/** Why a transfer does not go on: by choice, or because it cannot. */
export type StopReason = 'refused' | 'cancelled' | 'failed'

export const VERSION = 1
export const MAX_TEXT_BYTES = 16 * 1024
export const MAX_NAME_LETTERS = 255

/** A text of full length, every letter of it escaped, and the members around it. */
const MAX_FRAME = 6 * MAX_TEXT_BYTES + 1024

type Members = Readonly<Record<string, unknown>>

const READERS: Readonly<Record<Control['type'], (members: Members) => Control | null>> = {
  'call-confirm': ({ offer, answer, signature = null }) =>
    isSha256(offer) && isSha256(answer) && (signature === null || typeof signature === 'string')
      ? { type: 'call-confirm', offer, answer, signature }
      : null,
  hello: ({ version }) => (isCount(version) && version > 0 ? { type: 'hello', version } : null),
  text: ({ id, text }) =>
    isId(id) && typeof text === 'string' && utf8(text).length <= MAX_TEXT_BYTES ? { type: 'text', id, text } : null,
  received: ({ id }) => (isId(id) ? { type: 'received', id } : null),
  'file-offer': ({ id, name, size, mediaType }) =>
    isId(id) && isName(name) && isCount(size) && isMediaType(mediaType)
      ? { type: 'file-offer', id, name: plainName(name), size, mediaType }
      : null,
  'file-accept': ({ id }) => (isId(id) ? { type: 'file-accept', id } : null),
  'file-stop': ({ id, why }) => (isId(id) && isStopReason(why) ? { type: 'file-stop', id, why } : null),
  'file-progress': ({ id, received }) =>
    isId(id) && isCount(received) ? { type: 'file-progress', id, received } : null,
  'file-result': ({ id, sha256 }) => (isId(id) && isSha256(sha256) ? { type: 'file-result', id, sha256 } : null),
  moved: ({ session }) => (isId(session) ? { type: 'moved', session } : null),
  bye: () => ({ type: 'bye' }),
}

export function readControl(data: unknown): Control | null {
  const members = readObject(data)
  const type = members?.['type']
  if (!members || typeof type !== 'string' || !Object.hasOwn(READERS, type)) return null
  return READERS[type as Control['type']](members)
}

/** The last message of a file's channel: the bytes are over, and this is their SHA-256. */
export function readEnd(data: unknown): string | null {
  const members = readObject(data)
  const sha256 = members?.['sha256']
  return members?.['type'] === 'end' && isSha256(sha256) ? sha256 : null
}

export function writeEnd(sha256: string): string {
  return JSON.stringify({ type: 'end', sha256 })
}

function readObject(data: unknown): Members | null {
  if (typeof data !== 'string' || data.length > MAX_FRAME) return null
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null ? (value as Members) : null
  } catch {
    return null
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isStopReason(value: unknown): value is StopReason {
  return value === 'refused' || value === 'cancelled' || value === 'failed'
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LETTERS
}

function isMediaType(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.+-]{0,100}(\/[\w.+-]{1,100})?$/.test(value)
}

/** Names are shown and proposed for saving: no folders, no letters that hide others. */
function plainName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').replace(/[\\/:]/g, '_') || 'file'
}
