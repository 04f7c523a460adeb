import { describe, expect, it } from 'vitest'
import type { Peer } from './messages'
import { byId, changed, EMPTY_ROSTER, joined, left, listed, moved, page, type Roster } from './roster'

const guest = (id: string): Peer => ({ id, callsign: 'GUEST', hasLicense: false, verified: false, net: 'main' })
const operator = (id: string, keyId: string): Peer => ({ id, callsign: 'K1ABC', hasLicense: true, verified: true, keyId, net: 'main' })
const ids = (roster: Roster) => roster.present.map(({ id }) => id)

describe('the people here', () => {
  it('stay in the order they came', () => {
    let roster = listed(EMPTY_ROSTER, [guest('b'), guest('a')], true, 1)
    roster = joined(roster, guest('c'), 2)
    roster = left(roster, 'b')
    roster = joined(roster, guest('b'), 3)
    expect(ids(roster)).toEqual(['a', 'c', 'b'])
    expect(roster.present.map(({ arrived }) => arrived)).toEqual([false, true, true])
  })

  it('come in pages, and nobody vanishes until the last one', () => {
    let roster = listed(EMPTY_ROSTER, [guest('a'), guest('b'), guest('c')], true, 1)
    roster = listed(roster, [guest('c')], false, 2)
    expect(ids(roster)).toEqual(['a', 'b', 'c'])
    roster = joined(roster, guest('e'), 3)
    roster = page(roster, [guest('a')], true, 3)
    expect(ids(roster)).toEqual(['a', 'c', 'e'])
    expect(roster.present[0]?.since).toBe(1)
  })

  it('are the same person again with the same proven key', () => {
    let roster = listed(EMPTY_ROSTER, [operator('a', 'k1')], true, 1)
    roster = listed(roster, [], true, 2)
    roster = joined(roster, operator('z', 'k1'), 3)
    expect(roster.present).toMatchObject([{ id: 'a', wire: 'z' }])
    expect(roster.gone).toEqual([])
  })

  it('are the same people when the server was away and names everybody anew', () => {
    let roster = listed(EMPTY_ROSTER, [guest('g'), operator('a', 'k1'), operator('b', 'k2')], true, 1)
    roster = listed(roster, [operator('x', 'k2'), guest('y')], false, 2)
    roster = page(roster, [operator('z', 'k1')], true, 2)
    expect(roster.present.map(({ id, wire }) => [id, wire])).toEqual([['a', 'z'], ['b', 'x'], ['y', 'y']])
    expect(roster.gone.map(({ id }) => id)).toEqual(['g'])
  })

  it('do not become each other when one of two sessions of a key is left', () => {
    let roster = listed(EMPTY_ROSTER, [operator('a', 'k1'), operator('b', 'k1')], true, 1)
    roster = listed(roster, [operator('a', 'k1')], true, 2)
    expect(roster.present).toMatchObject([{ id: 'a', wire: 'a' }])
  })

  it('are different people while both sessions are here, or when the key is only claimed', () => {
    let roster = listed(EMPTY_ROSTER, [operator('a', 'k1')], true, 1)
    roster = joined(roster, operator('b', 'k1'), 2)
    expect(ids(roster)).toEqual(['a', 'b'])
    roster = left(left(roster, 'a'), 'b')
    roster = joined(roster, { ...operator('c', 'k1'), verified: false }, 3)
    expect(ids(roster)).toEqual(['c'])
  })
})

describe('somebody who tells their new session inside a call', () => {
  it('keeps their place in the conversation, whichever news comes first', () => {
    const before = left(listed(EMPTY_ROSTER, [guest('a')], true, 1), 'a')
    const newsFirst = joined(moved(before, 'a', 'n'), guest('n'), 2)
    const arrivalFirst = moved(joined(before, guest('n'), 2), 'a', 'n')
    for (const roster of [newsFirst, arrivalFirst]) {
      expect(roster.present).toMatchObject([{ id: 'a', wire: 'n' }])
      expect(roster.gone).toEqual([])
      expect(byId(roster, 'a')?.wire).toBe('n')
    }
  })

  it('cannot take over the session of another key', () => {
    const roster = listed(EMPTY_ROSTER, [guest('a'), operator('b', 'k1')], true, 1)
    expect(moved(roster, 'a', 'b')).toBe(roster)
    expect(moved(roster, 'b', 'a')).toBe(roster)
  })
})

describe('what changed while the server gathered', () => {
  it('comes together, and also about people who are known or were never listed', () => {
    let roster = listed(EMPTY_ROSTER, [guest('a'), guest('b')], true, 1)
    roster = changed(roster, [guest('c'), guest('a'), guest('d')], ['b', 'z'], 2)
    expect(ids(roster)).toEqual(['a', 'c', 'd'])
    expect(roster.present.map(({ since }) => since)).toEqual([1, 2, 2])
    expect(roster.gone.map(({ id }) => id)).toEqual(['b'])
  })

  it('between two pages of a list, counts: who came stays and who left does not come back', () => {
    let roster = listed(EMPTY_ROSTER, [guest('b'), guest('d')], false, 1)
    roster = changed(roster, [guest('a')], ['b'], 2)
    roster = page(roster, [guest('e')], true, 3)
    expect(ids(roster)).toEqual(['d', 'a', 'e'])
  })

  it('keeps the place of somebody who came back with the same proven key', () => {
    const roster = changed(listed(EMPTY_ROSTER, [operator('a', 'k1')], true, 1), [operator('n', 'k1')], ['a'], 2)
    expect(roster.present).toMatchObject([{ id: 'a', wire: 'n' }])
    expect(roster.gone).toEqual([])
  })
})

describe('bounds', () => {
  it('a server cannot list people without end', () => {
    let roster = listed(EMPTY_ROSTER, [], true, 1)
    for (let i = 0; i < 3_000; i += 100) {
      roster = page(roster, Array.from({ length: 100 }, (_, n) => guest(`p${i + n}`)), true, 1)
    }
    expect(roster.present).toHaveLength(2_000)
    roster = listed(roster, [], true, 2)
    expect(roster.gone).toHaveLength(500)
  })
})
