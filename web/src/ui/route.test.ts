import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Route } from './route'

let parseRoute: (hash: string) => Route
let routeHash: (route: Route) => string
let joinHash: (fingerprint: string, net: string) => string

beforeAll(async () => {
  vi.stubGlobal('location', { hash: '' })
  vi.stubGlobal('window', { addEventListener: () => undefined })
  ;({ parseRoute, routeHash, joinHash } = await import('./route'))
})

describe('parseRoute', () => {
  it.each([
    ['', 'people'],
    ['#/', 'people'],
    ['#join=1.ab12', 'people'],
    ['#join=1.ab12.hilltop', 'people'],
    ['#/station', 'station'],
    ['#/licence', 'licence'],
    ['#/trust', 'trust'],
    ['#/servers', 'servers'],
    ['#/diagnosis', 'diagnosis'],
    ['#/with/', 'people'],
    ['#/with/%E0%A4', 'people'],
    ['#/a-page-of-another-version', 'people'],
  ])('%s opens %s', (hash, page) => expect(parseRoute(hash).page).toBe(page))

  it('reads back what it writes, whatever the id holds', () => {
    const to: Route = { page: 'conversation', peerId: 'c/ 7%#é' }
    expect(parseRoute(routeHash(to))).toEqual(to)
    expect(parseRoute(routeHash({ page: 'station' }))).toEqual({ page: 'station' })
    expect(routeHash({ page: 'people' })).toBe('#/')
    for (const after of ['call', null] as const) expect(parseRoute(routeHash({ page: 'diagnosis', after }))).toEqual({ page: 'diagnosis', after })
  })
})

describe('joinHash', () => {
  it('names the net unless it is the first one', () => {
    expect(joinHash('ab12', 'main')).toBe('#join=1.ab12')
    expect(joinHash('ab12', 'hilltop')).toBe('#join=1.ab12.hilltop')
  })
})
