import { describe, expect, it } from 'vitest'
import { isStrictDer } from './strict-der'

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

describe('distinguished encoding', () => {
  it.each(['0500', '0101ff', '02020080', '30030201ff', '030200aa', `04820100${'00'.repeat(256)}`])('%s is strict', (hex) => {
    expect(isStrictDer(bytes(hex))).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['two elements', '05000500'],
    ['a length that says too much', '3005020100'],
    ['a length of unknown end', '30800201010000'],
    ['a long form for a short length', '3081030201ff'],
    ['a long form with a leading zero', '048200800000'],
    ['a padded number', '02020001'],
    ['a padded negative number', '0202ff80'],
    ['an empty number', '0200'],
    ['a truth of 1', '010101'],
    ['nine unused bits', '030209aa'],
    ['a tag number of several bytes', '1f8101'],
    ['a cut end', '3004020101'],
  ])('refuses %s', (_what, hex) => {
    expect(isStrictDer(bytes(hex))).toBe(false)
  })

  it('refuses what nests beyond reason, without recursion', () => {
    let nested = '0500'
    for (let depth = 0; depth < 60; depth++) nested = `30${(nested.length / 2).toString(16).padStart(2, '0')}${nested}`
    expect(isStrictDer(bytes(nested))).toBe(false)
  })
})
