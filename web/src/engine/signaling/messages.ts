/** The wire types under the names the engine uses, and how a frame is read. */
import type { ClientMessage, ServerMessage } from '../../wire/signaling'

export type { CallStatement, ClientMessage, Peer, ServerMessage, SessionDescription } from '../../wire/signaling'

export type ServerMessageOf<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>
export type Candidate = ServerMessageOf<'ICE_CANDIDATE_RECEIVED'>['candidate']

/** A server's frame; `replyTo` names the frame of ours that it answers, `seq` is its number. */
export type Incoming = ServerMessage & { readonly replyTo?: string | null; readonly seq?: number }

/** A frame of ours; `id` comes back as `replyTo`. */
export type Outgoing = ClientMessage & { readonly id?: string }

/** Null for anything that is not an object with a type; unknown types are left to the reader. */
export function readFrame(text: string): Incoming | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'type' in value ? (value as Incoming) : null
  } catch {
    return null
  }
}
