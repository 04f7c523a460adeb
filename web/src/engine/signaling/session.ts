/**
 * Our session with the server as a pure state machine: inputs in, the next state and commands out.
 *
 * A connection that broke is not the end of a session: the next one asks to go on with it (`RESUME`), and
 * begins anew only when the server no longer knows it.
 *
 * Invariant: `prove`, the only command that makes our key sign, is given only for a verdict `trusted`
 * on the challenge of the connection that is open now.
 */
import type { Login } from '../trust/statement'
import type { Proof, Verdict } from '../trust/server-proof'
import type { Incoming, Outgoing } from './messages'

export interface Session {
  readonly step: 'dialling' | 'registering' | 'judging' | 'proving' | 'connected' | 'waiting' | 'unknown-server' | 'refused'
  /** When this step began, milliseconds since 1970. */
  readonly since: number
  readonly role: 'licensed' | 'unlicensed'
  /** The owner lets guests call each other. */
  readonly guestCalls: boolean
  readonly clientId: string | null
  readonly serverOwner: string | null
  readonly isOwner: boolean
  /** The net we want to be in, and once connected are. */
  readonly net: string
  readonly retryAt: number | null
  readonly reason: string | null
  readonly unknownServer: { readonly owner: string; readonly fingerprint: string } | null
  /** What the open connection's proofs are bound to; null as a guest. */
  readonly dialled: { readonly url: string; readonly clientNonce: string } | null
  /** What we can go on with; null before the first registration and after the server said goodbye. */
  readonly resumable: Resumable | null
  /** While we are not in: how to register on the open connection. */
  readonly register: Register | null
}

/** A session as it was when we were last in it. */
interface Resumable {
  readonly token: string
  readonly clientId: string
  readonly role: Session['role']
  readonly guestCalls: boolean
  readonly net: string
  /** With what we logged in; another certificate, or none, needs another session. */
  readonly certificate: string | null
}

type Register = Extract<Outgoing, { type: 'REGISTER' }>

/** With what we log in. */
export interface Credentials {
  readonly callsign: string
  readonly certificate: string
  readonly chain: readonly string[]
}

export type Input =
  | { readonly kind: 'dialling' }
  | {
      readonly kind: 'opened'
      readonly url: string
      readonly clientNonce: string
      readonly credentials: Credentials | null
      /** The number of the last frame of the session that we were in. */
      readonly lastSeq: number
    }
  | { readonly kind: 'frame'; readonly frame: Incoming }
  | { readonly kind: 'judged'; readonly clientNonce: string; readonly verdict: Verdict }
  | { readonly kind: 'lost'; readonly reason: string; readonly retryAt: number }
  | { readonly kind: 'join'; readonly net: string }

export type Command =
  | { readonly do: 'send'; readonly message: Outgoing }
  | { readonly do: 'judge'; readonly proof: Proof; readonly dialled: Pick<Login, 'url' | 'clientNonce' | 'serverNonce'> }
  | { readonly do: 'prove'; readonly login: Login }
  | { readonly do: 'settled' }
  /** Close, and come back after so many seconds. */
  | { readonly do: 'retry'; readonly reason: string; readonly retryAfter: number }
  /** Close, and do not come back by itself. */
  | { readonly do: 'close' }

export type Step = readonly [Session, readonly Command[]]

export const FIRST_NET = 'main'

export function newSession(net: string, now: number): Session {
  return {
    step: 'dialling',
    since: now,
    role: 'unlicensed',
    guestCalls: false,
    clientId: null,
    serverOwner: null,
    isOwner: false,
    net,
    retryAt: null,
    reason: null,
    unknownServer: null,
    dialled: null,
    resumable: null,
    register: null,
  }
}

export function advance(session: Session, input: Input, now: number): Step {
  switch (input.kind) {
    case 'dialling':
      return [{ ...left(session, 'dialling', now), reason: session.reason }, []]
    case 'opened':
      return opened(session, input, now)
    case 'frame':
      return received(session, input.frame, now)
    case 'judged':
      return judged(session, input, now)
    case 'lost':
      return [{ ...left(session, 'waiting', now), reason: input.reason, retryAt: input.retryAt }, []]
    case 'join':
      return session.step === 'connected'
        ? [session, [{ do: 'send', message: { type: 'JOIN', net: input.net } }]]
        : [{ ...session, net: input.net }, []]
  }
}

function opened(session: Session, input: Extract<Input, { kind: 'opened' }>, now: number): Step {
  const { url, clientNonce, credentials, lastSeq } = input
  const register: Register = credentials
    ? {
        type: 'REGISTER',
        id: 'register',
        callsign: credentials.callsign,
        certificate: credentials.certificate,
        chain: [...credentials.chain],
        nonce: clientNonce,
        url,
        net: session.net,
      }
    : { type: 'REGISTER', id: 'register', callsign: 'GUEST', net: session.net }
  const dialled = credentials ? { url, clientNonce } : null
  const next: Session = { ...left(session, 'registering', now), dialled, register }
  const { resumable } = session
  if (!resumable || !isOurs(resumable, credentials)) return [next, [{ do: 'send', message: register }]]
  const proof = dialled ? { nonce: clientNonce, url } : {}
  return [next, [{ do: 'send', message: { type: 'RESUME', id: 'resume', session: resumable.token, lastSeq, ...proof } }]]
}

/** Whether somebody who logs in like this may go on with that session. */
export function isOurs(resumable: Resumable, credentials: Credentials | null): boolean {
  return resumable.certificate === (credentials?.certificate ?? null)
}

function received(session: Session, frame: Incoming, now: number): Step {
  switch (frame.type) {
    case 'CHALLENGE': {
      if (session.step !== 'registering' || !session.dialled) return [session, []]
      const dialled = { ...session.dialled, serverNonce: frame.nonce }
      return [{ ...session, step: 'judging', since: now }, [{ do: 'judge', proof: frame.serverProof, dialled }]]
    }
    case 'REGISTERED': {
      if (session.step !== 'connected' && !mayBeLetIn(session)) return [session, []]
      const certificate = session.register?.certificate ?? session.resumable?.certificate ?? null
      const next: Session = {
        ...session,
        step: 'connected',
        since: session.step === 'connected' ? session.since : now,
        role: frame.role,
        guestCalls: frame.guestCalls,
        clientId: frame.clientId,
        serverOwner: frame.serverOwner ?? null,
        net: frame.net,
        reason: null,
        register: null,
        resumable: { token: frame.session, clientId: frame.clientId, role: frame.role, guestCalls: frame.guestCalls, net: frame.net, certificate },
      }
      return [next, [{ do: 'settled' }]]
    }
    case 'RESUMED': {
      const { resumable } = session
      if (!resumable || !mayBeLetIn(session)) return [session, []]
      const { clientId, role, guestCalls, net } = resumable
      const next: Session = { ...session, step: 'connected', since: now, clientId, role, guestCalls, reason: null, register: null }
      const moves: Command[] = net === session.net ? [] : [{ do: 'send', message: { type: 'JOIN', net: session.net } }]
      return [next, [{ do: 'settled' }, ...moves]]
    }
    case 'ROLE': {
      const { resumable } = session
      if (session.step !== 'connected') return [session, []]
      const { role, guestCalls } = frame
      const next: Session = { ...session, role, guestCalls, resumable: resumable && { ...resumable, role, guestCalls } }
      if (role === session.role) return [next, []]
      return [{ ...next, reason: role === 'unlicensed' ? frame.reason : null }, []]
    }
    case 'ERROR':
      return failed(session, frame, now)
    case 'GOODBYE':
      return [{ ...session, resumable: null }, [{ do: 'retry', reason: frame.reason, retryAfter: frame.retryAfter }]]
    default:
      return [session, []]
  }
}

/** Somebody who came with a certificate is not in before the server's proof has been judged. */
function mayBeLetIn(session: Session): boolean {
  return session.step === (session.dialled ? 'proving' : 'registering')
}

/** Errors that another attempt would only meet again. */
const FINAL: ReadonlySet<string> = new Set(['bad-message', 'bad-callsign', 'bad-certificate', 'bad-proof', 'wrong-url'])

function failed(session: Session, frame: Extract<Incoming, { type: 'ERROR' }>, now: number): Step {
  if (session.step === 'connected' || !LOGIN_FRAMES.has(frame.replyTo ?? '')) return [session, []]
  if (session.register && cannotResume(frame)) {
    const next: Session = { ...session, step: 'registering', since: now, resumable: null }
    return [next, [{ do: 'send', message: session.register }]]
  }
  if (frame.code === 'bad-net') {
    // A net from a link that this server does not accept must not lock anybody out.
    return [{ ...session, net: FIRST_NET }, [{ do: 'retry', reason: frame.error, retryAfter: 0 }]]
  }
  if (FINAL.has(frame.code)) {
    return [{ ...left(session, 'refused', now), reason: frame.error }, [{ do: 'close' }]]
  }
  return [session, [{ do: 'retry', reason: frame.error, retryAfter: retryAfterOf(frame.details) }]]
}

const LOGIN_FRAMES: ReadonlySet<string> = new Set(['register', 'resume', 'authenticate'])

/** The session is over, or this server knows no sessions that outlive a connection. */
function cannotResume(frame: Extract<Incoming, { type: 'ERROR' }>): boolean {
  return frame.code === 'session-expired' || (frame.replyTo === 'resume' && frame.code === 'unknown-type')
}

function judged(session: Session, input: Extract<Input, { kind: 'judged' }>, now: number): Step {
  const current = session.step === 'judging' && session.dialled?.clientNonce === input.clientNonce
  if (!current) return [session, []]
  const { verdict } = input
  switch (verdict.kind) {
    case 'trusted':
      return [
        { ...session, step: 'proving', since: now, isOwner: verdict.isOwner },
        [{ do: 'prove', login: verdict.login }],
      ]
    case 'unknown': {
      const unknownServer = { owner: verdict.owner, fingerprint: verdict.fingerprint }
      return [{ ...left(session, 'unknown-server', now), unknownServer }, [{ do: 'close' }]]
    }
    case 'refused':
      return [{ ...left(session, 'refused', now), reason: verdict.reason }, [{ do: 'close' }]]
  }
}

/** Out of the server: what it granted is gone, what we want and what we can go on with stays. */
function left(session: Session, step: Session['step'], now: number): Session {
  return {
    ...newSession(session.net, now),
    serverOwner: session.serverOwner,
    resumable: session.resumable,
    step,
    since: now,
  }
}

function retryAfterOf(details: unknown): number {
  const seconds = typeof details === 'object' && details !== null && 'retryAfter' in details ? details.retryAfter : 0
  return typeof seconds === 'number' && seconds > 0 && seconds < 3600 ? seconds : 0
}
