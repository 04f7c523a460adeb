import { expect, it } from 'vitest'
import { isUsualCallsign } from './callsign'

// The same examples as the server's own check.
it.each(['W1AW', 'K1A', 'DL1ABC', '2E0ABC', '3A2XY', 'VK9XYZA', 'F/DL1ABC', 'w1aw ', 'K1ABC/QRP'])('%s is usual', (call) =>
  expect(isUsualCallsign(call)).toBe(true),
)

it.each(['GB100RSGB', 'W1AW1', 'A1234', 'RADIO', '', 'K1'])('"%s" deserves a second look', (call) =>
  expect(isUsualCallsign(call)).toBe(false),
)
