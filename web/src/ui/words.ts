/** States in words. Shape and colour only repeat what these say. */
import type { ConversationView, IdentityView, Person, ServerView, SessionView } from '../model'

/** The lamp's shape beside the words. */
export type Lamp = 'on' | 'busy' | 'lost' | 'failed' | 'off'

export interface State {
  readonly lamp: Lamp
  readonly words: string
}

/** `W1AW's server`, or how to call it before anybody owns it. */
export function serverName(server: Pick<ServerView, 'owner'>): string {
  return server.owner ? `${server.owner}’s server` : 'this server'
}

/** Others on this network can come in, and there is an address to give them. */
export function isShareable(server: Pick<ServerView, 'state' | 'addresses'>): boolean {
  return server.state === 'active' && server.addresses.length > 0
}

/** Our own state with the server. */
export function sessionState(session: SessionView, server: ServerView, identity: IdentityView | null): State {
  switch (session.phase) {
    case 'connecting':
      return { lamp: 'busy', words: `Connecting to ${serverName(server)}` }
    case 'connected':
      if (identity === null) return { lamp: 'on', words: 'Connected as a guest' }
      return session.role === 'licensed'
        ? { lamp: 'on', words: `Connected as ${identity.callsign}, verified` }
        : { lamp: 'on', words: 'Connected as a guest: your key is not trusted here' }
    case 'waiting':
      return { lamp: 'lost', words: `No connection to ${serverName(server)}` }
    case 'unknown-server':
      return { lamp: 'failed', words: 'Not connected: this browser does not know this server' }
    case 'refused':
      return { lamp: 'failed', words: `Not connected to ${serverName(server)}` }
    case 'stopped':
      return { lamp: 'off', words: 'Not connected' }
  }
}

/** What somebody is here. */
export function personKind(person: Person): string {
  return person.at === null ? kindHere(person) : `${kindHere(person)}, at ${person.at}’s server`
}

function kindHere(person: Person): string {
  if (person.isOwner) return person.verified ? 'Owner of this server, verified' : 'Owner of this server'
  if (person.licensed) return person.verified ? 'Operator, verified' : 'Operator, not verified'
  return person.callsign === 'GUEST' ? 'Guest' : `Guest, says ${person.callsign}, not proven`
}

/** Whether we may start a call with this person. */
export function mayCall(session: Pick<SessionView, 'role' | 'guestCalls'>, person: Pick<Person, 'licensed'>): boolean {
  return session.role === 'licensed' || (session.guestCalls && !person.licensed)
}

/** A conversation's state. */
export function callState(conversation: Pick<ConversationView, 'phase' | 'peer' | 'proof'>): State {
  const { label } = conversation.peer
  switch (conversation.phase) {
    case 'connecting':
      return { lamp: 'busy', words: `Connecting to ${label}` }
    case 'connected':
      return { lamp: 'on', words: `Connected to ${label}${conversation.proof?.kind === 'proven' ? ', verified' : ''}` }
    case 'interrupted':
      return { lamp: 'lost', words: `Lost the way to ${label}. Looking for another` }
    case 'failed':
      return { lamp: 'failed', words: `No connection to ${label}` }
    case 'ended':
      return { lamp: 'off', words: 'This conversation has ended' }
  }
}

/** Text can be written: what is sent before the way is there waits for it. */
export function canWrite(conversation: Pick<ConversationView, 'phase'>): boolean {
  return conversation.phase !== 'failed' && conversation.phase !== 'ended'
}

export function method(identity: IdentityView): string {
  const by = identity.vouchedBy
  switch (identity.method) {
    case 'self-asserted':
      return 'Your own word: you vouch for yourself. It counts on the server you own.'
    case 'in-person':
      return `${by} vouches for you, checked in person.`
    case 'lotw':
      return `${by} vouches for you, checked by your LoTW certificate.`
    case 'endorsements':
      return `${by} vouches for you, on the word of other operators.`
    case 'document':
      return `${by} vouches for you, after seeing your licence.`
  }
}

/** A caught failure as a sentence: the engine throws errors whose message is one. */
export function sentence(failure: unknown, otherwise: string): string {
  return failure instanceof Error && failure.message !== '' ? failure.message : otherwise
}
