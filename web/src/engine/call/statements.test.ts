import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { beliefsOf, judgeChain } from '../trust/beliefs'
import type { Certificate } from '../trust/certificate'
import type { Identity } from '../trust/identity'
import { forServer, selfSigned, vouchFor } from '../trust/issue'
import { generateKeys } from '../trust/keys'
import { MemoryStore } from '../trust/store'
import type { CallStatement, SessionDescription } from '../signaling/messages'
import { BrowserNotary } from './notary'
import { CallStatements, type Checked, checkOffer, type Counterpart, type Heard, isRefusal } from './statements'

const sdp = (key: string, more = '') => `v=0\r\na=fingerprint:sha-256 ${key}\r\n${more}`
const offer = (key: string, more = ''): SessionDescription => ({ type: 'offer', sdp: sdp(key, more) })
const answer = (key: string, more = ''): SessionDescription => ({ type: 'answer', sdp: sdp(key, more) })

/** Somebody with a browser: their notary, and how others name them. */
interface Party {
  readonly notary: BrowserNotary
  readonly as: Counterpart
  readonly chain: readonly string[]
}

/** W1AW owns the server, which vouched for K1ABC; M0XYZ vouches for themselves. */
let ownerCertificate: Certificate
let serverKeys: CryptoKeyPair
let server: Certificate
let w1aw: Party
let k1abc: Party
let m0xyz: Party
let guest: Party

beforeAll(async () => {
  vi.stubGlobal('isSecureContext', true)
  const ownerKeys = await generateKeys()
  ownerCertificate = await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null })
  serverKeys = await generateKeys()
  server = await forServer(serverKeys.publicKey, ownerCertificate, ownerKeys.privateKey)
  w1aw = party(ownerKeys, ownerCertificate, [])
  k1abc = await friend('K1ABC')
  const own = await generateKeys()
  m0xyz = party(own, await selfSigned(own, { callsign: 'M0XYZ', licenceClass: null }), [])
  const notary = new BrowserNotary({ identity: () => null, judge: (chain) => judgeChain(chain, beliefsOf(null, server.fingerprint, new MemoryStore())), owner: () => null })
  notary.registered('00000000000000aa')
  guest = { notary, as: { callsign: 'GUEST', keyId: null, receiver: 'guest:00000000000000aa' }, chain: [] }
})

async function friend(callsign: string): Promise<Party> {
  const keys = await generateKeys()
  return party(keys, await vouchFor(keys.publicKey, { callsign, licenceClass: null }, 'in-person', server, serverKeys.privateKey), [server.pem, ownerCertificate.pem])
}

function party(keys: CryptoKeyPair, parsed: Certificate, chain: readonly string[]): Party {
  const identity: Identity = { certificate: parsed.pem, chain, privateKey: keys.privateKey, backedUp: true, parsed, exportable: null }
  return {
    notary: new BrowserNotary({ identity: () => identity, judge: (shown) => judgeChain(shown, beliefsOf(identity, null, new MemoryStore())), owner: () => null }),
    as: { callsign: parsed.callsign, keyId: parsed.keyId, receiver: parsed.keyId },
    chain: [parsed.pem, ...chain],
  }
}

/** One end of a call with somebody. */
class End {
  readonly statements: CallStatements
  readonly me: Party

  constructor(me: Party, other: Party) {
    this.me = me
    this.statements = new CallStatements(me.notary, () => other.as)
  }

  async say(description: SessionDescription): Promise<Heard> {
    return { description, statement: await this.statements.sign(description), chain: this.me.chain }
  }
}

let a: End
let b: End

beforeEach(() => {
  a = new End(w1aw, k1abc)
  b = new End(k1abc, w1aw)
})

const heardByB = (heard: Heard, from = w1aw) => checkOffer(heard, from.as, k1abc.notary)
const bad = (heard: Heard, statement: Partial<CallStatement>): Heard => ({ ...heard, statement: heard.statement && { ...heard.statement, ...statement } })

function taken(checked: Awaited<ReturnType<End['statements']['checkAnswer']>>): Checked {
  if (isRefusal(checked) || checked === 'superseded') throw new Error(checked)
  return checked
}

/** Sets up the call; `keys` are the DTLS certificates. */
async function connect(): Promise<void> {
  b.statements.use(taken(await heardByB(await a.say(offer('A1')))))
  a.statements.use(taken(await a.statements.checkAnswer(await b.say(answer('B1')))))
}

describe('an offer', () => {
  it('counts when the person signed it for us, and proves who they are', async () => {
    const checked = taken(await heardByB(await a.say(offer('A1'))))
    expect(checked.signed).toMatchObject({ counter: 1, by: { callsign: 'W1AW', keyId: w1aw.as.keyId } })
    expect(checked.signed?.by.proof).toEqual({ kind: 'proven', voucher: 'root', path: [{ callsign: 'W1AW', server: false, fingerprint: ownerCertificate.fingerprint }] })
  })

  it('shows who vouched, and by which way', async () => {
    const n0abc = await friend('N0ABC')
    const proof = taken(await heardByB(await new End(n0abc, k1abc).say(offer('A1')), n0abc)).signed?.by.proof
    expect(proof).toMatchObject({ kind: 'proven', voucher: { callsign: 'W1AW', server: true, method: 'in-person' } })
    expect(proof?.kind === 'proven' && proof.path.map(({ callsign }) => callsign)).toEqual(['N0ABC', 'W1AW', 'W1AW'])
  })

  it('of somebody whom nobody here vouches for counts, and proves no more than it does', async () => {
    const checked = taken(await heardByB(await new End(m0xyz, k1abc).say(offer('A1')), m0xyz))
    expect(checked.signed?.by.proof).toMatchObject({ kind: 'unproven', why: 'nobody-known', certificate: { callsign: 'M0XYZ' } })
  })

  it('reaches a guest by their session, and proves the owner of the server they came to', async () => {
    const n0abc = await friend('N0ABC')
    const said = await new End(n0abc, guest).say(offer('A1'))
    expect(said.statement?.to).toBe('guest:00000000000000aa')
    expect(taken(await checkOffer(said, n0abc.as, guest.notary)).signed?.by.proof.kind).toBe('proven')
  })

  it('of a guest counts unsigned', async () => {
    const said = await new End(guest, k1abc).say(offer('A1'))
    expect(said.statement).toBeNull()
    expect(taken(await heardByB(said, guest)).signed).toBeNull()
  })

  it('is taken as it is by a page that cannot check', async () => {
    vi.stubGlobal('isSecureContext', false)
    const checked = await checkOffer(bad(await a.say(offer('A1')), { signature: 'x' }), w1aw.as, guest.notary)
    vi.stubGlobal('isSecureContext', true)
    expect(checked).toMatchObject({ signed: null })
  })

  const tampered: [string, string, (heard: Heard) => Heard | Promise<Heard>][] = [
    ['another DTLS certificate', 'changed', (heard) => ({ ...heard, description: offer('E1') })],
    ['a second DTLS certificate', 'several-keys', (heard) => ({ ...heard, description: offer('A1', 'a=fingerprint:sha-256 E1\r\n') })],
    ['no DTLS certificate', 'changed', (heard) => ({ ...heard, description: { type: 'offer', sdp: 'v=0\r\n' } })],
    ['a letter changed anywhere', 'changed', (heard) => ({ ...heard, description: { type: 'offer', sdp: `${heard.description.sdp} ` } })],
    ['no statement', 'unsigned', (heard) => ({ ...heard, statement: null })],
    ['no certificate', 'changed', (heard) => ({ ...heard, chain: [] })],
    ['another certificate', 'changed', (heard) => ({ ...heard, chain: m0xyz.chain })],
    ['another call id', 'changed', (heard) => bad(heard, { callId: 'AAAAAAAAAAAAAAAAAAAAAA' })],
    ['a call id that is none', 'changed', (heard) => bad(heard, { callId: 'x\ny' })],
    ['another counter', 'changed', (heard) => bad(heard, { counter: 2 })],
    ['a counter that is none', 'changed', (heard) => bad(heard, { counter: 1.5 })],
    ['another receiver', 'changed', (heard) => bad(heard, { to: m0xyz.as.keyId ?? '' })],
    ['a receiver that is none', 'changed', (heard) => bad(heard, { to: '' })],
    ['another key', 'changed', (heard) => bad(heard, { keyid: server.fingerprint })],
    ['a signature that is none', 'changed', (heard) => bad(heard, { signature: '' })],
    ['members of other kinds', 'changed', (heard) => bad(heard, { signature: 7 as never, keyid: null as never, to: [] as never })],
    ['the signature of an answer', 'changed', async (heard) => ({ ...heard, statement: await new End(w1aw, k1abc).statements.sign(answer('A1')) })],
    ['somebody else as its sender', 'other-signer', () => new End(m0xyz, k1abc).say(offer('A1'))],
    ['somebody else as its receiver', 'not-for-us', () => new End(w1aw, m0xyz).say(offer('A1'))],
  ]
  it.each(tampered)('with %s does not count', async (_what, refusal, tamper) => {
    expect(await heardByB(await tamper(await a.say(offer('A1'))))).toBe(refusal)
  })

  it('signed by a key of another callsign does not count, whoever the server says it is', async () => {
    const said = await new End(m0xyz, k1abc).say(offer('A1'))
    expect(await checkOffer(said, { ...m0xyz.as, callsign: 'W1AW' }, k1abc.notary)).toBe('other-signer')
  })
})

describe('an answer', () => {
  it('counts when it answers our offer', async () => {
    await connect()
    expect(a.statements.proof).toMatchObject({ kind: 'proven', voucher: { callsign: 'W1AW', server: true } })
    expect(b.statements.proof).toMatchObject({ kind: 'proven', voucher: 'root' })
  })

  it('to an offer that was changed on its way does not count', async () => {
    const said = await a.say(offer('A1'))
    // The other end is made to believe in it, as if it could not check.
    b.statements.use({ ...taken(await heardByB(said)), description: offer('E1') })
    expect(await a.statements.checkAnswer(await b.say(answer('B1')))).toBe('changed')
  })

  it('of another call does not count', async () => {
    await connect()
    const late = await b.say(answer('B1', 'again'))
    a = new End(w1aw, k1abc)
    await a.say(offer('A2'))
    expect(await a.statements.checkAnswer(late)).toBe('other-call')
    expect(await a.statements.checkAnswer(bad(late, { callId: (await a.say(offer('A2'))).statement?.callId ?? '' }))).toBe('changed')
  })

  it('to an offer that was said anew since is left alone', async () => {
    b.statements.use(taken(await heardByB(await a.say(offer('A1')))))
    const first = await b.say(answer('B1'))
    const again = await a.say(offer('A1', 'a=candidate:1\r\n'))
    expect(await a.statements.checkAnswer(first)).toBe('superseded')
    b.statements.use(taken(await heardByB(again)))
    expect(isRefusal(await a.statements.checkAnswer(await b.say(answer('B1', 'anew'))))).toBe(false)
  })

  it('that nobody asked for is left alone', async () => {
    expect(await a.statements.checkAnswer(await b.say(answer('B1')))).toBe('superseded')
  })

  it('with its statement taken off does not count', async () => {
    b.statements.use(taken(await heardByB(await a.say(offer('A1')))))
    expect(await a.statements.checkAnswer({ ...(await b.say(answer('B1'))), statement: null })).toBe('unsigned')
  })

  it('of a guest counts unsigned', async () => {
    a = new End(w1aw, guest)
    await a.say(offer('A1'))
    a.statements.use(taken(await a.statements.checkAnswer(await new End(guest, w1aw).say(answer('G1')))))
    expect(a.statements.proof).toEqual({ kind: 'no-key' })
    expect(a.statements.mustBeConfirmed).toBe(false)
  })
})

describe('within a call', () => {
  const placed = async (heard: Heard) => b.statements.place(taken(await heardByB(heard)))

  it('the counter rises, and the call keeps its name and its keys', async () => {
    await connect()
    const next = await a.say(offer('A1', 'restart'))
    expect(next.statement?.counter).toBe(2)
    const checked = taken(await heardByB(next))
    expect([b.statements.continues(checked), b.statements.place(checked)]).toEqual([true, 'next'])
  })

  it('the same again is the same, and what is older is not used', async () => {
    const first = await a.say(offer('A1'))
    expect(await a.say(offer('A1'))).toEqual(first)
    b.statements.use(taken(await heardByB(first)))
    expect(await placed(first)).toBe('repeated')
    b.statements.use(taken(await heardByB(await a.say(offer('A1', 'restart')))))
    expect(await placed(first)).toBe('old')
  })

  it('another DTLS certificate is refused, though the person signed it', async () => {
    await connect()
    const checked = taken(await heardByB(await a.say(offer('A2'))))
    expect([b.statements.continues(checked), b.statements.place(checked)]).toEqual([true, 'key-changed'])
  })

  it('a signature may not go missing, even if the server calls them a guest now', async () => {
    await connect()
    const said = await a.say(offer('A1', 'restart'))
    const checked = taken(await checkOffer({ ...said, statement: null }, guest.as, k1abc.notary))
    expect(b.statements.place(checked)).toBe('unsigned')
  })

  it('nobody else signs, even if the server says that they are the person now', async () => {
    await connect()
    const theirs = taken(await heardByB(await new End(m0xyz, k1abc).say(offer('A1', 'restart')), m0xyz))
    const { callId } = taken(await heardByB(await a.say(offer('A1', 'x')))).signed ?? { callId: '' }
    expect(b.statements.place(theirs)).toBe('other-call')
    expect(b.statements.place({ ...theirs, signed: theirs.signed && { ...theirs.signed, callId } })).toBe('other-signer')
  })

  it('another name is another call', async () => {
    await connect()
    expect(b.statements.continues(taken(await heardByB(await new End(w1aw, k1abc).say(offer('A1')))))).toBe(false)
  })
})

describe('a confirmation', () => {
  const confirms = async (from: End, to: End) => {
    const confirmation = await from.statements.confirmation()
    return confirmation && to.statements.isConfirmedBy(confirmation)
  }

  it('names what both saw', async () => {
    await connect()
    expect([await confirms(a, b), await confirms(b, a)]).toEqual([true, true])
  })

  it('is missing before there is anything to confirm', async () => {
    expect(await a.statements.confirmation()).toBeNull()
  })

  it('unmasks who passes off another’s descriptions as their own', async () => {
    // M0XYZ is called by both, signs each one's description as theirs, and passes it on.
    const [toA, toB] = [new End(m0xyz, w1aw), new End(m0xyz, k1abc)]
    a = new End(w1aw, m0xyz)
    b = new End(k1abc, m0xyz)
    toA.statements.use(taken(await checkOffer(await a.say(offer('A1')), w1aw.as, m0xyz.notary)))
    b.statements.use(taken(await heardByB(await toB.say(offer('A1')), m0xyz)))
    await toB.statements.checkAnswer(await b.say(answer('B1')))
    a.statements.use(taken(await a.statements.checkAnswer(await toA.say(answer('B1')))))
    expect([await confirms(a, b), await confirms(b, a)]).toEqual([false, false])
    // Signing what the other end saw does not help: it is not their key.
    const seen = await b.statements.confirmation()
    expect(seen && (await a.statements.isConfirmedBy(seen))).toBe(false)
  })

  it('without a signature, or with another’s, is none', async () => {
    await connect()
    const confirmation = await a.statements.confirmation()
    if (!confirmation) throw new Error('nothing to confirm')
    expect(await b.statements.isConfirmedBy({ ...confirmation, signature: null })).toBe(false)
    const [offered, answered] = [confirmation.answer, confirmation.offer]
    expect(await b.statements.isConfirmedBy({ ...confirmation, offer: offered, answer: answered })).toBe(false)
    const other = await b.statements.confirmation()
    expect(await b.statements.isConfirmedBy({ ...confirmation, signature: other?.signature ?? null })).toBe(false)
  })

  it('of a guest is not asked for, and theirs of us is', async () => {
    a = new End(w1aw, guest)
    const g = new End(guest, w1aw)
    g.statements.use(taken(await checkOffer(await a.say(offer('A1')), w1aw.as, guest.notary)))
    a.statements.use(taken(await a.statements.checkAnswer(await g.say(answer('G1')))))
    expect(g.statements.mustBeConfirmed).toBe(true)
    expect(await confirms(a, g)).toBe(true)
    expect(await g.statements.confirmation()).toMatchObject({ signature: null })
    expect(await confirms(g, a)).toBe(true)
    // Whoever changed the guest's answer is seen by the guest.
    const other = new End(guest, w1aw)
    other.statements.use(taken(await checkOffer(await a.say(offer('A1')), w1aw.as, guest.notary)))
    await other.say(answer('G2'))
    expect(await confirms(a, other)).toBe(false)
  })
})
