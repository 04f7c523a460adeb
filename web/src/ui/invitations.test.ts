// @vitest-environment node
import { beforeAll, describe, expect, it, vi } from 'vitest'

const server = { secureAddress: { root: 'aa', urls: ['https://w1aw.local:8080'], amateurNetworks: [] }, addresses: ['http://192.168.1.100:8080'] }
const keyId = 'ab'.repeat(32)
let invitations: typeof import('./invitations')

beforeAll(async () => {
  // The route is read from the address as soon as it is loaded.
  vi.stubGlobal('location', { hash: '', origin: 'http://localhost:8080' })
  vi.stubGlobal('window', { addEventListener: () => undefined })
  invitations = await import('./invitations')
})

const textOf = (link: string) => link.split('/').at(-1) ?? ''

describe('links that people hand each other', () => {
  it('open the address that lasts', () => {
    expect(invitations.requestLink(server, { keyId, callsign: 'K1ABC', licenceClass: null })).toBe(`https://w1aw.local:8080/#/endorse/1.${keyId}.K1ABC.`)
    expect(invitations.requestLink({ ...server, secureAddress: null }, { keyId, callsign: 'K1ABC', licenceClass: null })).toMatch(/^http:\/\/192/)
  })

  it('bring back what was written, whatever is in it', () => {
    const code = { callsign: 'F/W1AW/P', licenceClass: 'Klasse A. (neu)', code: 'MZXW6YTBOI7A2K4Q' }
    expect(invitations.readCode(textOf(invitations.codeLink(server, code)))).toEqual(code)
    const request = { keyId, callsign: 'F/W1AW', licenceClass: 'E/1 50%' }
    expect(invitations.readRequest(textOf(invitations.requestLink(server, request)))).toEqual(request)
    const endorsement = { keyId, signature: `${'a-_'.repeat(28)}Zz` }
    expect(invitations.readEndorsement(invitations.endorsementLink(server, endorsement))).toEqual(endorsement)
  })

  it('are found in a message around them', () => {
    const endorsement = { keyId, signature: 'A'.repeat(86) }
    const message = `Here it is: ${invitations.endorsementLink(server, endorsement)} 73`
    expect(invitations.readEndorsement(message)).toEqual(endorsement)
  })

  it.each(['', '1', '1.K1ABC', '2.a.b.c', '1.a.b.c.d', '1.%E0%A4%A.b.c'])('are not read when cut or of another kind: %s', (text) => {
    expect(invitations.readCode(text)).toBeNull()
    expect(invitations.readRequest(text)).toBeNull()
    expect(invitations.readEndorsement(text)).toBeNull()
  })
})
