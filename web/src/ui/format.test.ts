import { describe, expect, it } from 'vitest'
import { bytes, clock, count, fingerprintGroups, heardAgo, listed, secondsUntil, speed, timeLeft, utcClock } from './format'

describe('bytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [1449, '1.4 kB'],
    [9_940, '9.9 kB'],
    [9_960, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [20_000_000, '20 MB'],
    [1_500_000_000, '1.5 GB'],
    [3e15, '3000 TB'],
  ])('%d is %s', (n, words) => expect(bytes(n)).toBe(words))

  it('makes a speed of it', () => expect(speed(3_141_592.6)).toBe('3.1 MB/s'))
})

describe('timeLeft', () => {
  it.each([
    [null, 'time left not known yet'],
    [Number.POSITIVE_INFINITY, 'time left not known yet'],
    [0.2, 'almost done'],
    [4.1, 'about 5 s left'],
    [89, 'about 89 s left'],
    [90, 'about 2 min left'],
    [3600, 'about 60 min left'],
    [7200, 'about 2 h left'],
    [7260, 'about 2 h 1 min left'],
  ])('%s is %s', (seconds, words) => expect(timeLeft(seconds)).toBe(words))
})

describe('clock', () => {
  const place = { locale: 'en-GB', timeZone: 'Europe/Berlin' }
  const now = Date.UTC(2025, 2, 12, 12, 0)
  it('shows the time only on the same local day', () => {
    expect(clock(Date.UTC(2025, 2, 12, 11, 2), now, place)).toBe('12:02')
    // Already the 12th in Berlin, although still the 11th in UTC.
    expect(clock(Date.UTC(2025, 2, 11, 23, 30), now, place)).toBe('00:30')
  })
  it('adds the weekday, then the date', () => {
    expect(clock(Date.UTC(2025, 2, 10, 11, 2), now, place)).toBe('Mon 12:02')
    expect(clock(Date.UTC(2025, 1, 10, 11, 2), now, place)).toBe('10 Feb, 12:02')
  })
})

describe('utcClock', () => {
  const at = Date.UTC(2025, 2, 12, 11, 2)
  it('stands beside a local time that differs', () =>
    expect(utcClock(at, { timeZone: 'Europe/Berlin' })).toBe('11:02 UTC'))
  it('is silent where local time is UTC', () => expect(utcClock(at, { timeZone: 'UTC' })).toBeNull())
})

it('counts down to zero and no further', () => {
  expect(secondsUntil(5_200, 1_000)).toBe(5)
  expect(secondsUntil(500, 1_000)).toBe(0)
})

it('groups a fingerprint by four', () => {
  expect(fingerprintGroups('0a1b2c3d4e')).toEqual(['0A1B', '2C3D', '4E'])
  expect(fingerprintGroups('')).toEqual([])
})

it('counts with the right noun', () => {
  expect(count(1, 'file')).toBe('1 file')
  expect(count(2, 'person', 'people')).toBe('2 people')
})

it.each([
  [0, 'heard just now'],
  [9, 'heard just now'],
  [10, 'heard 10 s ago'],
  [59, 'heard 50 s ago'],
  [60, 'heard 1 min ago'],
  [139, 'heard 2 min ago'],
  [7_199, 'heard 119 min ago'],
  [7_200, 'heard 2 h ago'],
  [93_000, 'heard 25 h ago'],
  [259_200, 'heard 3 days ago'],
])('%i seconds ago is %s', (seconds, words) => {
  expect(heardAgo(seconds)).toBe(words)
})

describe('listed', () => {
  it.each([
    [[], ''],
    [['K1ABC'], 'K1ABC'],
    [['K1ABC', 'K7RA'], 'K1ABC and K7RA'],
    [['K1ABC', 'K7RA', 'N0XYZ'], 'K1ABC, K7RA and N0XYZ'],
  ])('%j is %s', (names, words) => expect(listed(names)).toBe(words))
})
