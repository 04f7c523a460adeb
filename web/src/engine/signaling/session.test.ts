import { describe, expect, it } from 'vitest'
import type { Verdict } from '../trust/server-proof'
import type { Login } from '../trust/statement'
import type { Incoming } from './messages'
import { advance, type Command, type Input, newSession, type Session } from './session'

const URL_DIALLED = 'ws://192.168.1.100:8080/signal'
const credentials = { callsign: 'K1ABC', certificate: 'PEM', chain: [] }
const login: Login = { clientNonce: 'n1', serverNonce: 's1', server: 'f', client: 'c', url: URL_DIALLED }
const trusted: Verdict = { kind: 'trusted', fingerprint: 'f', isOwner: true, login }

const open = (clientNonce = 'n1'): Input => ({ kind: 'opened', url: URL_DIALLED, clientNonce, credentials })
const openAsGuest: Input = { kind: 'opened', url: URL_DIALLED, clientNonce: 'n1', credentials: null }
const challenge = frame({ type: 'CHALLENGE', nonce: 's1', serverProof: { chain: ['A'], signature: 'x' } })
const registered = frame({
  type: 'REGISTERED',
  clientId: '01',
  serverOwner: 'W1AW',
  role: 'licensed',
  net: 'main',
  peers: [],
})

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
    const moved = frame({ type: 'REGISTERED', clientId: '01', serverOwner: null, role: 'unlicensed', net: 'field', peers: [] })
    const { commands } = play(openAsGuest, moved, { kind: 'lost', reason: 'r', retryAt: 9 }, openAsGuest)
    expect(commands.at(-1)).toMatchObject({ message: { net: 'field' } })
  })
})
