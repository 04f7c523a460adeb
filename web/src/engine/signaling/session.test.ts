import { describe, expect, it } from 'vitest'
import type { Certificate } from '../trust/certificate'
import type { Verdict } from '../trust/server-proof'
import type { Login } from '../trust/statement'
import type { Incoming } from './messages'
import { advance, type Command, type Input, newSession, type Session } from './session'

const URL_DIALLED = 'ws://192.168.1.100:8080/signal'
const credentials = { callsign: 'K1ABC', certificate: 'PEM', chain: [] }
const login: Login = { clientNonce: 'n1', serverNonce: 's1', server: 'f', client: 'c', url: URL_DIALLED }
const trusted: Verdict = { kind: 'trusted', fingerprint: 'f', isOwner: true, owner: {} as Certificate, login }

const open = (clientNonce = 'n1'): Input => ({ kind: 'opened', url: URL_DIALLED, clientNonce, credentials, lastSeq: 7 })
const openAsGuest: Input = { kind: 'opened', url: URL_DIALLED, clientNonce: 'n1', credentials: null, lastSeq: 7 }
const challenge = frame({ type: 'CHALLENGE', nonce: 's1', serverProof: { chain: ['A'], signature: 'x' } })
const registered = frame({
  type: 'REGISTERED',
  clientId: '01',
  serverOwner: 'W1AW',
  role: 'licensed',
  guestCalls: false,
  net: 'main',
  peers: [],
  session: 'token',
})

const lost: Input = { kind: 'lost', reason: 'r', retryAt: 9 }
const resumed = frame({ type: 'RESUMED', clientId: '01' })
const judged: Input = { kind: 'judged', clientNonce: 'n1', verdict: trusted }

function frame(message: Incoming): Input {
  return { kind: 'frame', frame: message }
}

function play(...inputs: Input[]): { session: Session; commands: Command[] } {
  let session = newSession('main', 0)
  const commands: Command[] = []
  for (const [index, input] of inputs.entries()) {
    const [next, given] = advance(session, input, index + 1)
    session = next
    commands.push(...given)
  }
  return { session, commands }
}

describe('an operator', () => {
  it('signs after the server was judged, and is in after REGISTERED', () => {
    const { session, commands } = play(open(), challenge, { kind: 'judged', clientNonce: 'n1', verdict: trusted }, registered)
    expect(commands.map((command) => command.do)).toEqual(['send', 'judge', 'prove', 'settled'])
    expect(commands[1]).toEqual({
      do: 'judge',
      proof: { chain: ['A'], signature: 'x' },
      dialled: { url: URL_DIALLED, clientNonce: 'n1', serverNonce: 's1' },
    })
    expect(session).toMatchObject({ step: 'connected', role: 'licensed', isOwner: true, clientId: '01', since: 4 })
  })

  const withoutTrust: [string, Input[]][] = [
    ['no challenge', [open(), { kind: 'judged', clientNonce: 'n1', verdict: trusted }]],
    ['a verdict on the connection before', [open('n0'), challenge, open(), challenge, { kind: 'judged', clientNonce: 'n0', verdict: trusted }]],
    ['a verdict after the connection was lost', [open(), challenge, { kind: 'lost', reason: 'r', retryAt: 9 }, { kind: 'judged', clientNonce: 'n1', verdict: trusted }]],
    ['an unknown server', [open(), challenge, { kind: 'judged', clientNonce: 'n1', verdict: { kind: 'unknown', owner: 'W1AW', fingerprint: 'f' } }]],
    ['a refused server', [open(), challenge, { kind: 'judged', clientNonce: 'n1', verdict: { kind: 'refused', reason: 'r' } }]],
    ['a server that registers without a challenge', [open(), registered]],
  ]
  it.each(withoutTrust)('never signs: %s', (_what, inputs) => {
    const { session, commands } = play(...inputs)
    expect(commands.map((command) => command.do)).not.toContain('prove')
    expect(session.step).not.toBe('connected')
  })

  it('a second challenge is not answered', () => {
    const { commands } = play(open(), challenge, { kind: 'judged', clientNonce: 'n1', verdict: trusted }, challenge)
    expect(commands.filter((command) => command.do === 'judge')).toHaveLength(1)
  })

  it('stops before an unknown server and shows what to compare', () => {
    const { session, commands } = play(open(), challenge, {
      kind: 'judged',
      clientNonce: 'n1',
      verdict: { kind: 'unknown', owner: 'W1AW', fingerprint: 'f' },
    })
    expect(session).toMatchObject({ step: 'unknown-server', unknownServer: { owner: 'W1AW', fingerprint: 'f' } })
    expect(commands.at(-1)).toEqual({ do: 'close' })
  })
})

describe('a change of role', () => {
  const demoted = frame({ type: 'ROLE', role: 'unlicensed', guestCalls: false, reason: 'Blacklisted.' })
  const restored = frame({ type: 'ROLE', role: 'licensed', guestCalls: false, reason: 'Trusted again.' })

  it('counts at once, says why it was taken, and stays when the connection comes back', () => {
    const before = [open(), challenge, judged, registered]
    expect(play(...before, demoted).session).toMatchObject({ step: 'connected', role: 'unlicensed', reason: 'Blacklisted.' })
    expect(play(...before, demoted, restored).session).toMatchObject({ role: 'licensed', reason: null })
    expect(play(...before, demoted, lost, open(), challenge, judged, resumed).session).toMatchObject({ step: 'connected', role: 'unlicensed' })
  })

  it('is none before we are in, and none when it tells what we know', () => {
    expect(play(open(), challenge, judged, restored).session.step).toBe('proving')
    expect(play(open(), challenge, judged, registered, restored).session).toMatchObject({ role: 'licensed', since: 4 })
  })
})

describe('a guest', () => {
  it('is in at once and answers no challenge', () => {
    const { session, commands } = play(openAsGuest, challenge, registered)
    expect(commands.map((command) => command.do)).toEqual(['send', 'settled'])
    expect(commands[0]).toEqual({
      do: 'send',
      message: { type: 'REGISTER', id: 'register', callsign: 'GUEST', net: 'main' },
    })
    expect(session).toMatchObject({ step: 'connected', isOwner: false })
  })
})

describe('a connection that broke', () => {
  const guestIn = [openAsGuest, registered]
  const operatorIn = [open(), challenge, judged, registered]
  const expired = (replyTo: string) => frame({ type: 'ERROR', code: 'session-expired', error: 'Over.', replyTo })
  const sent = (commands: Command[]) => commands.flatMap((command) => (command.do === 'send' ? [command.message] : []))

  it('is followed by RESUME, and a guest is back in the same session', () => {
    const { session, commands } = play(...guestIn, lost, openAsGuest, resumed)
    expect(sent(commands).at(-1)).toEqual({ type: 'RESUME', id: 'resume', session: 'token', lastSeq: 7 })
    expect(session).toMatchObject({ step: 'connected', clientId: '01', role: 'licensed', serverOwner: 'W1AW', register: null })
    expect(commands.at(-1)).toEqual({ do: 'settled' })
  })

  it('an operator judges the server and proves the key before being back', () => {
    const again = [...operatorIn, lost, open()]
    expect(sent(play(...again).commands).at(-1)).toMatchObject({ type: 'RESUME', nonce: 'n1', url: URL_DIALLED })
    expect(play(...again, resumed).session.step).toBe('registering')
    expect(play(...again, challenge, resumed).session.step).toBe('judging')
    const { session, commands } = play(...again, challenge, judged, resumed)
    expect(commands.map((command) => command.do)).toEqual(['send', 'judge', 'prove', 'settled', 'send', 'judge', 'prove', 'settled'])
    expect(session).toMatchObject({ step: 'connected', clientId: '01', isOwner: true })
  })

  it('is forgotten when the server no longer knows the session', () => {
    const early = play(...guestIn, lost, openAsGuest, expired('resume'))
    expect(sent(early.commands).at(-1)).toMatchObject({ type: 'REGISTER', callsign: 'GUEST' })
    expect(early.session).toMatchObject({ step: 'registering', resumable: null })
    const late = play(...operatorIn, lost, open(), challenge, judged, expired('authenticate'))
    expect(sent(late.commands).at(-1)).toMatchObject({ type: 'REGISTER', callsign: 'K1ABC' })
    expect(late.session.step).toBe('registering')
  })

  it('is nothing to resume for somebody else, nor after a goodbye', () => {
    const asOperator = play(...guestIn, lost, open())
    expect(sent(asOperator.commands).at(-1)).toMatchObject({ type: 'REGISTER', callsign: 'K1ABC' })
    const asGuest = play(...operatorIn, lost, openAsGuest)
    expect(sent(asGuest.commands).at(-1)).toMatchObject({ type: 'REGISTER', callsign: 'GUEST' })
    const goodbye = frame({ type: 'GOODBYE', reason: 'r', retryAfter: 2 })
    expect(sent(play(...guestIn, goodbye, lost, openAsGuest).commands).at(-1)).toMatchObject({ type: 'REGISTER' })
  })

  it('survives another change of net', () => {
    const { commands } = play(...guestIn, lost, { kind: 'join', net: 'field' }, openAsGuest, resumed)
    expect(sent(commands).at(-1)).toEqual({ type: 'JOIN', net: 'field' })
    const moved = frame({ type: 'REGISTERED', clientId: '01', serverOwner: null, role: 'licensed', guestCalls: false, net: 'field', peers: [], session: 'token' })
    const asOperator = play(...operatorIn, moved, lost, open())
    expect(sent(asOperator.commands).at(-1)).toMatchObject({ type: 'RESUME' })
  })

  it('and a change of role is kept over it', () => {
    const role = frame({ type: 'ROLE', role: 'unlicensed', guestCalls: true, reason: 'The owner no longer trusts this key.' })
    expect(play(...operatorIn, role).session).toMatchObject({ step: 'connected', role: 'unlicensed', guestCalls: true, since: 4 })
    expect(play(...operatorIn, role, lost, open(), challenge, judged, resumed).session).toMatchObject({ role: 'unlicensed', guestCalls: true })
    expect(play(open(), role).session.role).toBe('unlicensed')
    expect(play(...operatorIn, lost, frame({ type: 'ROLE', role: 'licensed', guestCalls: false, reason: 'x' })).session.role).toBe('unlicensed')
  })

  it('a RESUMED that nobody asked for changes nothing', () => {
    expect(play(openAsGuest, resumed).session.step).toBe('registering')
  })
})

describe('refusals and losses', () => {
  const error = (code: 'bad-proof' | 'full' | 'bad-net' | 'rate-limited', replyTo = 'register', details = {}) =>
    frame({ type: 'ERROR', code, error: 'A sentence.', replyTo, details })

  it('stops where another attempt would only fail again', () => {
    const { session, commands } = play(open(), error('bad-proof', 'authenticate'))
    expect(session).toMatchObject({ step: 'refused', reason: 'A sentence.' })
    expect(commands.at(-1)).toEqual({ do: 'close' })
  })

  it('comes back where it may help, when the server allows it', () => {
    const { commands } = play(openAsGuest, error('full', 'register', { retryAfter: 30 }))
    expect(commands.at(-1)).toEqual({ do: 'retry', reason: 'A sentence.', retryAfter: 30 })
  })

  it('falls back to the main net when a link names one the server does not accept', () => {
    const { session, commands } = play({ kind: 'join', net: 'Nope' }, openAsGuest, error('bad-net'))
    expect(session.net).toBe('main')
    expect(commands.at(-1)).toMatchObject({ do: 'retry' })
  })

  it('an error about something else does not end the session', () => {
    const { session } = play(openAsGuest, registered, error('rate-limited', 'offer:02'))
    expect(session.step).toBe('connected')
  })

  it('shows why and until when it waits, and forgets what was granted', () => {
    const { session } = play(open(), challenge, { kind: 'judged', clientNonce: 'n1', verdict: trusted }, registered, {
      kind: 'lost',
      reason: 'The server is restarting.',
      retryAt: 99,
    })
    expect(session).toMatchObject({ step: 'waiting', retryAt: 99, clientId: null, role: 'unlicensed', isOwner: false })
  })

  it('keeps the net over a reconnection', () => {
    const moved = frame({ type: 'REGISTERED', clientId: '01', serverOwner: null, role: 'unlicensed', guestCalls: false, net: 'field', peers: [], session: 'token' })
    const goodbye = frame({ type: 'GOODBYE', reason: 'r', retryAfter: 2 })
    const { commands } = play(openAsGuest, moved, goodbye, lost, openAsGuest)
    expect(commands.at(-1)).toMatchObject({ message: { net: 'field' } })
  })
})
