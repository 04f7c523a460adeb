import { expect, it } from 'vitest'
import type { PathStep, Proof } from '../model'
import { proofLine, proofMeaning } from './proof-words'

const step = (callsign: string, server = false): PathStep => ({ callsign, server, fingerprint: 'f' })
const proven = (voucher: Extract<Proof, { kind: 'proven' }>['voucher']): Proof => ({ kind: 'proven', voucher, path: [step('W1AW'), step('K1ABC')] })

it('names who vouched, and how', () => {
  expect(proofLine(proven({ callsign: 'K1ABC', server: false, method: 'in-person' }))).toBe('W1AW, vouched by K1ABC in person')
  expect(proofLine(proven({ callsign: 'K1ABC', server: true, method: 'lotw' }))).toBe('W1AW, vouched by K1ABC’s server by their LoTW certificate')
  expect(proofLine(proven('owner'))).toBe('W1AW, the owner of this server')
})

it('never says more than is proven', () => {
  const others: Proof[] = [
    { kind: 'unproven', why: 'nobody-known', certificate: step('K1ABC') },
    { kind: 'unproven', why: 'withdrawn', certificate: step('K1ABC') },
    { kind: 'unproven', why: 'distrusted', certificate: step('K1ABC') },
    { kind: 'unproven', why: 'disputed', certificate: step('K1ABC') },
    { kind: 'no-key' },
    { kind: 'plain-page' },
  ]
  for (const proof of others) {
    expect(proofLine(proof).toLowerCase()).toContain('not proven')
    expect(proofLine(proof)).not.toContain('vouched by')
    expect(proofMeaning(proof)).not.toContain('both browsers confirmed')
  }
})
