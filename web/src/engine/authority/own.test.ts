import { beforeAll, describe, expect, it } from 'vitest'
import { type Certificate, identityUnder, issuedBy } from '../trust/certificate'
import { type Identity, makeIdentity } from '../trust/identity'
import { forServer, selfSigned } from '../trust/issue'
import { generateKeys, verifyStatement } from '../trust/keys'
import { statement } from '../trust/statement'
import { judgeAll } from '../trust/verdict'
import { endOf, endorsementOf, identityWith, isByUs, successorOf, withdrawal, wordFor } from './own'

let w1aw: Identity
let stranger: Certificate

beforeAll(async () => {
  w1aw = await makeIdentity({ callsign: 'W1AW', licenceClass: null })
  stranger = await selfSigned(await generateKeys(), { callsign: 'K1ABC', licenceClass: 'General' })
})

const checked = { method: 'in-person', licenceClass: 'Extra' } as const

describe('an operator’s key', () => {
  it('vouches, and what it vouched for is trusted until it takes its word back', async () => {
    const word = await wordFor(stranger.pem, checked, w1aw)
    expect(word.licence).toEqual({ callsign: 'K1ABC', licenceClass: 'Extra', method: 'in-person', vouchedBy: 'W1AW' })
    expect(await isByUs(word.pem, w1aw)).toBe(true)
    expect(await isByUs(stranger.pem, w1aw)).toBe(false)
    const world = { certificates: [w1aw.parsed, word], anchors: [w1aw.parsed.fingerprint] }
    expect((await judgeAll(world)).of(word.fingerprint)).toBe('trusted')
    expect((await judgeAll({ ...world, tombstones: [await endOf(word.pem, w1aw)] })).of(word.fingerprint)).toBe('revoked')
  })

  it('does not vouch for a server, nor end what it did not sign', async () => {
    const server = await forServer((await generateKeys()).publicKey, w1aw.parsed, w1aw.privateKey)
    await expect(wordFor(server.pem, checked, w1aw)).rejects.toThrow('a server')
    await expect(endOf(stranger.pem, w1aw)).rejects.toThrow('did not sign')
  })

  it('withdraws itself, whoever vouched', async () => {
    const k1abc = await makeIdentity({ callsign: 'K1ABC', licenceClass: null })
    const word = await wordFor(k1abc.certificate, checked, w1aw)
    const vouched = await identityWith(word.pem, [w1aw.certificate], k1abc)
    const tombstone = await withdrawal(vouched)
    expect(tombstone.target).toBe(identityUnder(word, w1aw.parsed.spki))
    const world = { certificates: [w1aw.parsed, word, k1abc.parsed], anchors: [w1aw.parsed.fingerprint], tombstones: [tombstone] }
    const verdicts = await judgeAll(world)
    expect([word, k1abc.parsed].map(({ fingerprint }) => verdicts.of(fingerprint))).toEqual(['withdrawn', 'withdrawn'])
  })

  it('is followed by another that both agree on', async () => {
    const { next, change } = await successorOf(w1aw, 1)
    expect(await issuedBy(next.parsed, w1aw.parsed)).toBe(true)
    expect(next.chain).toEqual([w1aw.certificate])
    expect(next.exportable).not.toBeNull()
    const text = statement('rekey', { old: w1aw.parsed.keyId, new: next.parsed.keyId, callsign: 'W1AW', generation: '1' })
    expect(await verifyStatement(w1aw.parsed.publicKey, text, change.byOld)).toBe(true)
    expect(await verifyStatement(next.parsed.publicKey, text, change.byNew)).toBe(true)
  })

  it('endorses a whole request, and no other', async () => {
    const request = { keyId: stranger.keyId, callsign: 'K1ABC', licenceClass: null }
    const { keyId, signature } = await endorsementOf(request, w1aw)
    expect(keyId).toBe(w1aw.parsed.keyId)
    const text = statement('endorse', { key: stranger.keyId, callsign: 'K1ABC', class: null, method: 'in-person' })
    expect(await verifyStatement(w1aw.parsed.publicKey, text, signature)).toBe(true)
    for (const bad of [{ ...request, keyId: 'abc' }, { ...request, callsign: 'nobody' }, { ...request, licenceClass: '-' }]) {
      await expect(endorsementOf(bad, w1aw)).rejects.toThrow('not complete')
    }
  })

  it('takes no certificate of another key', async () => {
    await expect(identityWith(stranger.pem, [], w1aw)).rejects.toThrow('not for your key')
  })
})
