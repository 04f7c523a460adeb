import { beforeAll, describe, expect, it } from 'vitest'
import { concat } from '../bytes'
import { type Certificate, identityUnder, parseDer } from './certificate'
import type { Change, Tombstone } from './heard'
import { forServer, selfSigned, vouchFor } from './issue'
import { exportPublicKey, generateKeys, keyIdOf, signStatement } from './keys'
import { statement } from './statement'
import { type Distrust, type Evidence, judgeAll } from './verdict'

interface Operator {
  readonly keys: CryptoKeyPair
  readonly id: string
  /** Self-signed. */
  readonly own: Certificate
}

async function operator(callsign: string): Promise<Operator> {
  const keys = await generateKeys()
  return { keys, id: keyIdOf(await exportPublicKey(keys.publicKey)), own: await selfSigned(keys, { callsign, licenceClass: null }) }
}

const vouch = (from: Operator, by: Certificate, to: Operator) =>
  vouchFor(to.keys.publicKey, { callsign: to.own.callsign, licenceClass: null }, 'in-person', by, from.keys.privateKey)

async function tombstone(signer: Operator, target: string): Promise<Tombstone> {
  return { target, signer: signer.id, signature: await signStatement(signer.keys.privateKey, statement('tombstone', { signer: signer.id, target })) }
}

async function change(old: Operator, next: Operator, generation = 1): Promise<Change> {
  const callsign = old.own.callsign
  const text = statement('rekey', { old: old.id, new: next.id, callsign, generation: String(generation) })
  return {
    old: old.id,
    new: next.id,
    callsign,
    generation,
    byOld: await signStatement(old.keys.privateKey, text),
    byNew: await signStatement(next.keys.privateKey, text),
  }
}

/** W1AW is the anchor; W1AW vouches for K1ABC, K1ABC for N0XYZ. Nobody vouches for the stranger. */
let w1aw: Operator
let k1abc: Operator
let n0xyz: Operator
let stranger: Operator
let first: Certificate
let second: Certificate
let all: Certificate[]

beforeAll(async () => {
  ;[w1aw, k1abc, n0xyz, stranger] = await Promise.all([operator('W1AW'), operator('K1ABC'), operator('N0XYZ'), operator('K1ABC')])
  first = await vouch(w1aw, w1aw.own, k1abc)
  second = await vouch(k1abc, first, n0xyz)
  all = [second, stranger.own, first, w1aw.own]
})

const judged = async (more: Partial<Evidence> = {}) => {
  const verdicts = await judgeAll({ certificates: all, anchors: [w1aw.own.fingerprint], ...more })
  return (certificate: Certificate) => verdicts.of(certificate.fingerprint)
}

describe('trust', () => {
  it('reaches from the anchor over everybody vouched for, and no further', async () => {
    for (const certificates of [all, [...all].reverse()]) {
      const of = await judged({ certificates })
      expect([w1aw.own, first, second].map(of)).toEqual(['trusted', 'trusted', 'trusted'])
      expect(of(stranger.own)).toBe('untrusted')
      expect(of(k1abc.own)).toBe('unknown')
    }
  })

  it('shows the way to the anchor', async () => {
    const verdicts = await judgeAll({ certificates: all, anchors: [w1aw.own.fingerprint] })
    expect(verdicts.path(second.fingerprint).map(({ callsign }) => callsign)).toEqual(['N0XYZ', 'K1ABC', 'W1AW'])
    expect(verdicts.path(stranger.own.fingerprint)).toEqual([])
  })

  it('needs the issuer, not only its name', async () => {
    const of = await judged({ certificates: [second, w1aw.own, stranger.own] })
    // The stranger bears the issuer's name and has another key.
    expect(of(second)).toBe('waiting')
  })

  it('needs no issuer for an anchor', async () => {
    const of = await judged({ certificates: [first, second], anchors: [first.fingerprint] })
    expect([first, second].map(of)).toEqual(['trusted', 'trusted'])
  })

  it('goes round in circles without an anchor', async () => {
    const [a, b] = [await operator('AA1A'), await operator('BB1B')]
    const certificates = [a.own, await vouch(a, a.own, b), await vouch(b, b.own, a)]
    const of = await judged({ certificates, anchors: [] })
    expect(certificates.map(of)).toEqual(['untrusted', 'untrusted', 'untrusted'])
  })

  it('is the same for a certificate whose signature was rewritten as (r, n−s)', async () => {
    const rewritten = await parseDer(withOtherSignature(first))
    expect(rewritten).not.toBeNull()
    expect(rewritten?.fingerprint).not.toBe(first.fingerprint)
    const distrust: Distrust = { scope: 'certificate', identity: identityUnder(first, w1aw.own.spki) }
    const of = await judged({ certificates: [w1aw.own, rewritten as Certificate], blacklist: [distrust] })
    expect(of(rewritten as Certificate)).toBe('blacklisted')
  })

  it('reaches an operator’s server, and leaves it with the operator', async () => {
    const keys = await generateKeys()
    const server = await forServer(keys.publicKey, first, k1abc.keys.privateKey)
    const of = await judged({ certificates: [...all, server] })
    expect(of(server)).toBe('trusted')
    expect((await judged({ certificates: [...all, server], blacklist: [{ scope: 'key', keyId: k1abc.id }] }))(server)).toBe('untrusted')
  })
})

describe('the blacklist', () => {
  it('takes one certificate, and what hangs on it alone', async () => {
    const of = await judged({ blacklist: [{ scope: 'certificate', identity: identityUnder(first, w1aw.own.spki) }] })
    expect([w1aw.own, first, second].map(of)).toEqual(['trusted', 'blacklisted', 'untrusted'])
  })

  it('takes a key, whoever vouches, and lets no other key of the callsign take its place unasked', async () => {
    const late = await vouch(w1aw, w1aw.own, stranger)
    const blacklist: Distrust[] = [{ scope: 'key', keyId: k1abc.id }]
    // Trusted when it was decided: it need not wait.
    expect((await judged({ certificates: [...all, late], blacklist }))(late)).toBe('trusted')
    expect((await judged({ blacklist }))(stranger.own)).toBe('awaits-owner')
    expect((await judged({ blacklist, accepted: [{ callsign: 'K1ABC', keyId: stranger.id }] }))(stranger.own)).toBe('untrusted')
  })

  it('takes a subtree even where others vouch, and stops at anchors', async () => {
    const other = await vouch(w1aw, w1aw.own, n0xyz)
    const back = await vouch(k1abc, first, w1aw)
    const of = await judged({ certificates: [...all, other, back], blacklist: [{ scope: 'subtree', keyId: k1abc.id }] })
    expect([first, second, other].map(of)).toEqual(['blacklisted-subtree', 'blacklisted-subtree', 'blacklisted-subtree'])
    expect(of(w1aw.own)).toBe('trusted')
  })
})

describe('tombstones', () => {
  const identity = () => identityUnder(first, w1aw.own.spki)

  it('by the holder withdraw the key', async () => {
    const of = await judged({ tombstones: [await tombstone(k1abc, identity())] })
    expect([first, second].map(of)).toEqual(['withdrawn', 'untrusted'])
  })

  it('by the issuer end that certificate', async () => {
    const of = await judged({ tombstones: [await tombstone(w1aw, identity())] })
    expect([first, second].map(of)).toEqual(['revoked', 'untrusted'])
  })

  it('by anybody else, or with another’s signature, change nothing', async () => {
    const forged = { ...(await tombstone(stranger, identity())), signer: k1abc.id }
    const of = await judged({ tombstones: [await tombstone(stranger, identity()), await tombstone(n0xyz, identity()), forged] })
    expect(of(first)).toBe('trusted')
  })
})

describe('changes of keys', () => {
  it('suspend two successors of one key until somebody chooses', async () => {
    const [one, two] = [await operator('K1ABC'), await operator('K1ABC')]
    const certificates = [...all, await vouch(w1aw, w1aw.own, one), await vouch(w1aw, w1aw.own, two)]
    const rekeys = [await change(k1abc, one), await change(k1abc, two)]
    const of = await judged({ certificates, rekeys })
    expect(certificates.slice(-2).map(of)).toEqual(['successors', 'successors'])
    const decided = await judged({ certificates, rekeys, chosen: [{ old: k1abc.id, new: two.id }] })
    expect(certificates.slice(-2).map(decided)).toEqual(['successors', 'trusted'])
  })

  it('count only with both signatures and the next generation', async () => {
    const one = await operator('K1ABC')
    const two = await operator('K1ABC')
    const certificates = [...all, await vouch(w1aw, w1aw.own, one), await vouch(w1aw, w1aw.own, two)]
    const good = await change(k1abc, one)
    for (const bad of [{ ...(await change(k1abc, two)), byNew: good.byNew }, await change(k1abc, two, 2)]) {
      const of = await judged({ certificates, rekeys: [good, bad] })
      expect(certificates.slice(-2).map(of)).toEqual(['trusted', 'trusted'])
    }
  })
})

/** The order of the group (FIPS 186-4, D.1.2.3). */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function withOtherSignature({ der, tbs, signature }: Certificate) {
  const hex = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  const number = (value: bigint) => {
    const digits = value.toString(16)
    const bytes = Buffer.from(digits.length % 2 ? `0${digits}` : digits, 'hex')
    const content = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
    return Buffer.concat([Buffer.of(2, content.length), content])
  }
  const numbers = Buffer.concat([number(hex(signature.slice(0, 32))), number(N - hex(signature.slice(32)))])
  const value = Buffer.concat([Buffer.of(0x30, numbers.length), numbers])
  const algorithm = der.slice(4 + tbs.length, 4 + tbs.length + 12)
  const content = concat(tbs, algorithm, Buffer.of(3, value.length + 1, 0), value)
  return concat(Buffer.of(0x30, 0x82, content.length >> 8, content.length & 0xff), content)
}
