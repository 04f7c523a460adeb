import { createHash, randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ConversationView, Entry, FileEntry, Person } from '../../model'
import type { Heard } from '../call/statements'
import type { CallStatement, Candidate, SessionDescription } from '../signaling/messages'
import { FakeConnection, FakeNotary, fakeKey, Network } from '../testing'
import { Conversation } from './conversation'

const person = (id: string, callsign: string): Person => ({
  id,
  callsign,
  label: callsign,
  licensed: true,
  verified: true,
  keyId: fakeKey(callsign),
  licenceClass: null,
  isOwner: false,
  at: null,
  since: 0,
  fresh: false,
})

/** One browser: its conversation with the other, and a server in between that the test can take away. */
class Station {
  readonly conversation: Conversation
  readonly connections: FakeConnection[] = []
  readonly memory = { held: 0 }
  readonly moves: string[] = []
  other: Station | null = null
  obstacle: string | null = null
  serverIsAway = false
  /** Its browser finds no way onto the network. */
  blind = false
  /** What the server makes of what this station says. */
  relay: (heard: Heard) => readonly Heard[] = (heard) => [heard]
  readonly #polite: boolean

  constructor(network: Network, id: string, callsign: string | null, other: Person) {
    this.#polite = id < other.id
    const deliver = (act: (to: Conversation) => void) => {
      if (!this.serverIsAway) network.later(() => this.other && act(this.other.conversation))
    }
    this.conversation = new Conversation(other, true, {
      memory: this.memory,
      notary: new FakeNotary(id, callsign),
      receiver: (peer) => peer.keyId ?? `guest:${peer.id}`,
      obstacle: () => this.obstacle,
      newConnection: () => {
        const connection = new FakeConnection(network)
        connection.blind = this.blind
        this.connections.push(connection)
        return connection as unknown as RTCPeerConnection
      },
      polite: () => this.#polite,
      sendDescription: (_id, description: SessionDescription, statement: CallStatement | null) => {
        for (const heard of this.relay({ description, statement, chain: callsign === null ? [] : [callsign] })) {
          deliver((to) => (heard.description.type === 'offer' ? to.offered(heard, !this.#polite) : to.answered(heard)))
        }
      },
      sendCandidate: (_id, candidate: Candidate) => deliver((to) => to.candidate(candidate)),
      moved: (_id, session) => this.moves.push(session),
      changed: () => undefined,
    })
  }

  get view(): ConversationView {
    return this.conversation.view
  }

  get file(): FileEntry {
    return this.view.entries.findLast((entry): entry is FileEntry => entry.kind === 'file') as FileEntry
  }

  get connection(): FakeConnection {
    return this.connections.at(-1) as FakeConnection
  }
}

let network: Network
let a: Station
let b: Station

beforeEach(() => {
  vi.stubGlobal('navigator', { userAgent: 'X11; Linux', maxTouchPoints: 0 })
  network = new Network()
  a = new Station(network, 'a', 'W1AW', person('b', 'K1ABC'))
  b = new Station(network, 'b', 'K1ABC', person('a', 'W1AW'))
  a.other = b
  b.other = a
})

const phases = () => [a.view.phase, b.view.phase]
const texts = (station: Station) => station.view.entries.map((entry: Entry) => (entry.kind === 'text' ? `${entry.mine ? '>' : '<'}${entry.text} ${entry.state}` : entry.kind))

async function connect(): Promise<void> {
  a.conversation.start()
  await network.settle()
  expect(phases()).toEqual(['connected', 'connected'])
}

describe('a call', () => {
  it('connects two people and says how', async () => {
    await connect()
    expect(a.view.path).toBe('direct, 192.168.1.23')
    expect(b.connections).toHaveLength(1)
  })

  it('is confirmed by both also where a browser connects before it says that it took the answer', async () => {
    a.conversation.start()
    a.connection.saysLate = true
    await network.settle()
    expect(phases()).toEqual(['connecting', 'connecting'])
    a.connection.sayTaken()
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
    expect([a.view.proof?.kind, b.view.proof?.kind]).toEqual(['proven', 'proven'])
  })

  it('is one call when both call at once', async () => {
    a.conversation.start()
    b.conversation.start()
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
    expect([a.connections.length, b.connections.length]).toEqual([1, 1])
    a.conversation.sendText('one way')
    b.conversation.sendText('and back')
    await network.settle()
    expect(texts(a)).toEqual(['>one way delivered', '<and back delivered'])
  })

  it('with a guest is signed by one end, and between guests by none', async () => {
    const guest = (id: string): Person => ({ ...person(id, 'GUEST'), licensed: false, verified: false, keyId: null })
    for (const mine of ['W1AW', null]) {
      a = new Station(network, '0a'.repeat(8), mine, guest('0b'.repeat(8)))
      b = new Station(network, '0b'.repeat(8), null, mine === null ? guest('0a'.repeat(8)) : person('0a'.repeat(8), mine))
      a.other = b
      b.other = a
      await connect()
      expect(a.view.proof).toEqual({ kind: 'no-key' })
      expect(b.view.proof?.kind).toBe(mine === null ? 'no-key' : 'proven')
      // Either end may look for another way.
      for (const station of [a, b]) {
        station.connection.restartIce()
        await network.settle()
      }
      expect([a.view, b.view]).toMatchObject([{ phase: 'connected', notice: null }, { phase: 'connected', notice: null }])
    }
  })

  it('does not start against an obstacle, and says which', () => {
    a.obstacle = 'Guests answer calls.'
    a.conversation.start()
    expect(a.view).toMatchObject({ phase: 'failed', reason: 'Guests answer calls.' })
  })

  it('fails when neither browser finds a way onto the network, and soon', async () => {
    a.blind = b.blind = true
    a.conversation.start()
    await network.settle()
    for (const { view } of [a, b]) {
      expect(view.phase).toBe('failed')
      expect(view.reason).toContain('This browser found no way onto the network')
    }
  })

  it('says whose browser it is that finds none', async () => {
    b.blind = true
    a.conversation.start()
    await network.settle()
    // They may still find each other by the ways of the one.
    expect(phases()).toEqual(['connecting', 'connecting'])
    for (const { connection } of [a, b]) connection.become('failed')
    expect(a.view.reason).toContain('The browser of K1ABC found no way')
    expect(b.view.reason).toContain('This browser found no way')
  })

  it('says that there is no way between them where both found some', async () => {
    network.cut = true
    a.conversation.start()
    await network.settle()
    a.connection.become('failed')
    expect(a.view.reason).toContain('No direct way to K1ABC')
  })

  it('ends on both sides when one hangs up', async () => {
    await connect()
    a.conversation.hangUp()
    await network.settle()
    expect(phases()).toEqual(['ended', 'ended'])
    expect([a.view.reason, b.view.reason]).toEqual(['You ended the call.', 'W1AW ended the call.'])
  })

  it('fails when the other leaves before it is connected, but not later', async () => {
    a.serverIsAway = true
    a.conversation.start()
    await network.settle()
    a.conversation.about(person('b', 'K1ABC'), false)
    expect(a.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining('K1ABC left') })
    a.serverIsAway = false
    a.conversation.about(person('b', 'K1ABC'), true)
    await connect()
    a.conversation.about(person('b', 'K1ABC'), false)
    await network.settle()
    expect(a.view).toMatchObject({ phase: 'connected', present: false })
  })

  it('gives up in the end, with the reason that fits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    a.serverIsAway = true
    a.conversation.start()
    await network.settle()
    vi.advanceTimersByTime(30_000)
    expect(a.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining('did not answer') })
    vi.useRealTimers()
  })

  it('comes about although the offer was lost with the server', async () => {
    a.serverIsAway = true
    a.conversation.start()
    await network.settle()
    a.serverIsAway = false
    a.conversation.signalingReturned('a2')
    await network.settle()
    // The candidates were lost too; the other end's are enough to be found by, with a restart.
    a.connection.restartIce()
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
  })

  it('is a new one when the other page was reloaded', async () => {
    await connect()
    const reloaded = new Station(network, 'b', 'K1ABC', person('a', 'W1AW'))
    reloaded.other = a
    a.other = reloaded
    reloaded.conversation.start()
    await network.settle()
    expect([a.view.phase, reloaded.view.phase]).toEqual(['connected', 'connected'])
    expect(a.connections).toHaveLength(2)
  })
})

describe('a running call', () => {
  it('is made anew when the other end has left it without a word', async () => {
    await connect()
    network.cut = true
    b.conversation.hangUp()
    await network.settle()
    expect(phases()).toEqual(['connected', 'ended'])
    network.cut = false
    a.connection.become('failed')
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
  })

  it('outlives the server, and tells the other its new session', async () => {
    await connect()
    a.serverIsAway = b.serverIsAway = true
    a.conversation.sendText('still here')
    await network.settle()
    expect(texts(b)).toEqual(['<still here delivered'])
    a.conversation.signalingReturned('a2')
    await network.settle()
    expect(b.moves).toEqual(['a2'])
    expect(phases()).toEqual(['connected', 'connected'])
    expect(a.connection.restarts).toBe(0)
  })

  it('looks for another way when the way is lost, also when both ends look at once', async () => {
    await connect()
    network.cut = true
    for (const station of [a, b]) station.connection.become('failed')
    await network.settle()
    expect(phases()).toEqual(['interrupted', 'interrupted'])
    network.cut = false
    for (const station of [a, b]) station.conversation.signalingReturned('x')
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
    a.conversation.sendText('back')
    await network.settle()
    expect(texts(b)).toContain('<back delivered')
  })

  it('is restarted by the other end when the server does not carry our offer', async () => {
    await connect()
    b.serverIsAway = true
    for (const station of [a, b]) station.connection.become('disconnected')
    b.conversation.start()
    await network.settle()
    expect(b.connection.signalingState).toBe('have-local-offer')
    b.conversation.offerRefused('Calls are started by licensed operators.')
    await network.settle()
    b.serverIsAway = false
    a.conversation.start()
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
  })

  it('fails when the way does not come back', async () => {
    await connect()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    a.connection.become('disconnected')
    expect(a.view.phase).toBe('interrupted')
    vi.advanceTimersByTime(60_000)
    expect(a.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining('was lost') })
    vi.useRealTimers()
  })
})

describe('a call that somebody in between touches', () => {
  const evil: SessionDescription = { type: 'offer', sdp: 'v=0\r\na=fingerprint:sha-256 evil\r\n' }
  const only = (type: string, change: (heard: Heard) => Heard) => (heard: Heard) => [heard.description.type === type ? change(heard) : heard]
  const swapped = (heard: Heard): Heard => ({ ...heard, description: { ...heard.description, sdp: evil.sdp } })
  const doubled = (heard: Heard): Heard => ({ ...heard, description: { ...heard.description, sdp: heard.description.sdp + evil.sdp } })
  const stripped = (heard: Heard): Heard => ({ ...heard, statement: null })

  it.each([
    ['a swapped key', swapped, 'changed this call'],
    ['a second key', doubled, 'second encryption key'],
    ['a missing signature', stripped, 'without their signature'],
  ])('is refused for %s, by the called and by the caller', async (_what, change, words) => {
    a.relay = only('offer', change)
    a.conversation.start()
    await network.settle()
    expect(b.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining(words), proof: null })
    expect(b.connections).toHaveLength(0)
    a.conversation.hangUp()
    a.relay = (heard) => [heard]
    b.relay = only('answer', change)
    a.conversation.start()
    await network.settle()
    expect(a.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining(words), proof: null })
    expect(b.view.phase).not.toBe('connected')
  })

  it.each([
    ['says nothing', () => null],
    ['saw something else', (said: string) => said.replace(/"answer":"[0-9a-f]{4}/, '"answer":"0000')],
  ])('is refused when the other end %s', async (_what, change) => {
    a.conversation.start()
    const channel = a.connection.last()
    if (channel) channel.tamper = (data) => (String(data).includes('call-confirm') ? change(String(data)) : data)
    await network.settle()
    expect(b.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining('did not confirm'), proof: null })
    expect(a.view.phase).toBe('ended')
  })

  it('goes on when it is connected, and says what was refused', async () => {
    await connect()
    for (const change of [swapped, stripped, doubled]) {
      a.relay = only('offer', change)
      a.connection.restartIce()
      await network.settle()
      expect(b.view).toMatchObject({ phase: 'connected', notice: { words: expect.stringContaining('refused') } })
    }
    a.conversation.sendText('still here')
    await network.settle()
    expect(texts(b)).toEqual(['<still here delivered'])
  })

  it('is not begun again by what was said for it before', async () => {
    const said: Heard[] = []
    a.relay = (heard) => {
      said.push(heard)
      return [heard]
    }
    await connect()
    a.conversation.hangUp()
    await network.settle()
    for (const heard of said) b.conversation.offered(heard, true)
    await network.settle()
    expect(b.view).toMatchObject({ phase: 'failed', reason: expect.stringContaining('repeated an earlier call') })
    expect(b.connections).toHaveLength(1)
  })

  it('is not ended by a call of another page that never connects', async () => {
    const before = new Station(network, 'a', 'W1AW', person('b', 'K1ABC'))
    let recorded: Heard | undefined
    before.relay = (heard) => {
      recorded ??= heard
      return []
    }
    before.conversation.start()
    await network.settle()
    await connect()
    if (recorded) b.conversation.offered(recorded, true)
    await network.settle()
    expect(b.connections).toHaveLength(2)
    b.conversation.sendText('nothing happened')
    await network.settle()
    expect(texts(a)).toEqual(['<nothing happened delivered'])
    expect(phases()).toEqual(['connected', 'connected'])
  })

  it('is not harmed by an answer that comes late', async () => {
    let late: Heard | undefined
    b.relay = (heard) => {
      late = heard
      return []
    }
    a.conversation.start()
    await network.settle()
    a.conversation.hangUp()
    b.conversation.hangUp()
    await network.settle()
    b.relay = (heard) => [...(late ? [late] : []), heard]
    a.conversation.start()
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
    expect(a.view.notice?.words).toContain('belongs to another call')
  })

  it('comes about although an answer was lost, when it is asked for again', async () => {
    let lost = 0
    b.relay = (heard) => (lost++ === 0 ? [] : [heard])
    a.conversation.start()
    await network.settle()
    expect(phases()).toEqual(['connecting', 'connecting'])
    b.conversation.signalingReturned('b2')
    await network.settle()
    expect(phases()).toEqual(['connected', 'connected'])
  })
})

describe('texts', () => {
  it('written before the call is connected wait for it', async () => {
    a.conversation.sendText('early')
    expect(texts(a)).toEqual(['>early sending'])
    await network.settle()
    expect(texts(a)).toEqual(['>early delivered'])
    expect(b.view).toMatchObject({ unread: 1 })
    b.conversation.markRead()
    expect(b.view.unread).toBe(0)
  })

  it('fail with the call they waited for', () => {
    a.obstacle = 'no'
    a.conversation.sendText('lost')
    expect(texts(a)).toEqual(['>lost failed'])
  })

  it('of any length arrive whole', async () => {
    await connect()
    const long = 'ß€😀'.repeat(4_000)
    a.conversation.sendText(long)
    await network.settle()
    expect(b.view.entries.length).toBeGreaterThan(1)
    expect(b.view.entries.map((entry) => (entry.kind === 'text' ? entry.text : '')).join('')).toBe(long)
  })

  it('are kept up to a bound', async () => {
    await connect()
    for (let i = 0; i < 520; i++) a.conversation.sendText(`${i}`)
    await network.settle()
    expect(b.view.entries).toHaveLength(500)
    expect(texts(b).at(-1)).toBe('<519 delivered')
  })
})

describe('files', () => {
  const content = randomBytes(3_000_000)
  const file = new File([content], 'map.bin', { type: 'application/octet-stream' })

  async function offer(): Promise<void> {
    await connect()
    a.conversation.sendFiles([file])
    await network.settle()
    expect(b.file).toMatchObject({ state: 'offered', name: 'map.bin', size: content.length, mine: false })
  }

  async function accept(): Promise<void> {
    await b.conversation.acceptFile(b.file.id)
  }

  it('arrive whole, and both sides computed the same hash', async () => {
    await offer()
    await accept()
    await network.settle()
    const sha256 = createHash('sha256').update(content).digest('hex')
    expect(a.file).toMatchObject({ state: 'complete', sha256, moved: content.length })
    expect(b.file).toMatchObject({ state: 'complete', sha256, savedToDisk: false })
    const received = await (await fetch(b.file.url ?? '')).arrayBuffer()
    expect(Buffer.from(received).equals(content)).toBe(true)
    expect(b.memory.held).toBe(content.length)
  })

  it('that are empty arrive too', async () => {
    await connect()
    a.conversation.sendFiles([new File([], 'empty.txt')])
    await network.settle()
    await accept()
    await network.settle()
    expect([a.file.state, b.file.state]).toEqual(['complete', 'complete'])
  })

  it('are not sent when they are refused', async () => {
    await offer()
    b.conversation.cancelFile(b.file.id)
    await network.settle()
    expect([a.file.state, b.file.state]).toEqual(['refused', 'refused'])
    expect(a.file.reason).toBe('K1ABC did not take this file.')
  })

  it.each([
    ['sender', () => a.conversation.cancelFile(a.file.id)],
    ['receiver', () => b.conversation.cancelFile(b.file.id)],
  ])('stop on both sides when the %s cancels', async (_who, cancel) => {
    await offer()
    await accept()
    await network.settle(() => b.file.moved > 0)
    expect(b.file.state).toBe('moving')
    cancel()
    await network.settle()
    expect([a.file.state, b.file.state]).toEqual(['cancelled', 'cancelled'])
    expect(b.memory.held).toBe(0)
    expect(a.conversation.isBusy || b.conversation.isBusy).toBe(false)
    expect(phases()).toEqual(['connected', 'connected'])
  })

  it('fail with the call', async () => {
    await offer()
    await accept()
    await network.settle(() => b.file.moved > 0)
    b.conversation.hangUp()
    await network.settle()
    expect([a.file.state, b.file.state]).toEqual(['failed', 'failed'])
    expect(b.memory.held).toBe(0)
  })

  it('that were damaged on the way are thrown away, and both sides say so', async () => {
    await offer()
    await accept()
    await network.settle(() => a.file.state === 'moving')
    const channel = a.connection.last()
    if (channel) {
      channel.tamper = (data) => (typeof data === 'string' ? data : new Uint8Array(data.byteLength).buffer)
    }
    await network.settle()
    expect(b.file).toMatchObject({ state: 'failed', url: null, reason: expect.stringContaining('fingerprint does not match') })
    expect(a.file.state).toBe('failed')
  })

  it('are shown as too large where they cannot be held', async () => {
    await connect()
    const huge = new File(['x'], 'huge.bin')
    Object.defineProperty(huge, 'size', { value: 600_000_000 })
    a.conversation.sendFiles([huge])
    await network.settle()
    expect(b.file.tooLarge).toContain('at most 512 MB')
    await accept()
    expect(b.file.state).toBe('offered')
  })

  it('offered without end are refused without a word to the person', async () => {
    await connect()
    a.conversation.sendFiles(Array.from({ length: 40 }, (_, i) => new File(['x'], `${i}`)))
    await network.settle()
    expect(b.view.entries).toHaveLength(32)
    expect(a.view.entries.filter((entry) => entry.state === 'refused')).toHaveLength(8)
  })
})
