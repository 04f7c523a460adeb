import { expect, it } from 'vitest'
import { whoVouches } from './certificate-words'

it('calls nobody’s own word a voucher’s, whatever method they name', () => {
  const said = { server: false, callsign: 'K1ABC', vouchedBy: 'W1AW', method: 'in-person' } as const
  expect(whoVouches(said)).toBe('Vouched for by W1AW, checked in person')
  const own = 'Their own word: nobody vouches here'
  expect(whoVouches({ ...said, vouchedBy: 'K1ABC', method: 'self-asserted' })).toBe(own)
  expect(whoVouches({ ...said, vouchedBy: 'K1ABC' })).toBe(own)
  expect(whoVouches({ ...said, vouchedBy: null, method: null })).toBe('It says nothing of a licence')
  expect(whoVouches({ ...said, server: true })).toBe('The server of K1ABC')
})
