import { describe, expect, it } from 'vitest'
import { isCalled } from './key-hint'

const SPKI = Uint8Array.from(
  Buffer.from(
    '3059301306072a8648ce3d020106082a8648ce3d030107034200' +
      '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
      '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
    'hex',
  ),
)
const SHA1 = 'b467a3999eb5efa671de0032f08a9c9e5efda0e1'

describe('a key is called by what is computed from it', () => {
  it.each([SHA1, '408a9c9e5efda0e1', '698bea63dc44a344663ff1429aea10842df27b6b', '5cd252fb0ce8932436faf8ccd1040981b89ee4ad'])('%s', (name) => {
    expect(isCalled(SPKI, name)).toBe(true)
    expect(isCalled(SPKI, `${name.slice(0, 15)}${name[15] === '0' ? '1' : '0'}${name.slice(16)}`)).toBe(false)
  })

  it('no way makes a part of the SHA-1', () => {
    expect(isCalled(SPKI, SHA1.slice(0, 24))).toBe(false)
  })
})
