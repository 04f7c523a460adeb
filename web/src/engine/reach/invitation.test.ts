import { describe, expect, it } from 'vitest'
import { isLocal, readInvitation } from './invitation'

const fingerprint = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const join = `#join=1.${fingerprint}`

describe('an invitation', () => {
  it.each([
    [`http://192.168.1.100:8080/${join}`, `http://192.168.1.100:8080/${join}`],
    [`https://w1aw.local:8080/${join}.hilltop`, `https://w1aw.local:8080/${join}.hilltop`],
    [`Come here: http://192.168.1.100:8080/${join} 73`, `http://192.168.1.100:8080/${join}`],
    ['http://192.168.1.100:8080/elsewhere?q=1#x', 'http://192.168.1.100:8080/'],
    ['http://192.168.1.100:8080/#/become/1.W1AW.Extra.ABCD', 'http://192.168.1.100:8080/#/become/1.W1AW.Extra.ABCD'],
    ['{"callsign":"W1AW","endpoint":"http://192.168.1.100:8080"}', 'http://192.168.1.100:8080/'],
    ['{"signalingUrl":"ws://192.168.1.100:8080/signal"}', 'http://192.168.1.100:8080/'],
    ['192.168.1.100', 'http://192.168.1.100:8080/'],
    [' 192.168.1.100:8081 ', 'http://192.168.1.100:8081/'],
    ['w1aw.local', 'http://w1aw.local:8080/'],
    ['localhost', 'http://localhost:8080/'],
    ['[fd12::1]:8080', 'http://[fd12::1]:8080/'],
    ['fd12::1', 'http://[fd12::1]:8080/'],
  ])('%s leads to %s', (text, url) => expect(readInvitation(text)?.url).toBe(url))

  it('names the server it is for', () => {
    expect(readInvitation(`http://192.168.1.100:8080/${join}`)).toEqual({
      url: `http://192.168.1.100:8080/${join}`,
      address: '192.168.1.100:8080',
      fingerprint,
      local: true,
    })
    expect(readInvitation('http://192.168.1.100:8080/#join=1.abc')?.fingerprint).toBeNull()
  })

  it.each([
    '',
    'CQ CQ CQ',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'http://',
    'http://user:secret@192.168.1.100/',
    '{"endpoint":"javascript:alert(1)"}',
    '{"endpoint":7}',
    '{"endpoint',
    'WIFI:S:net;T:WPA;P:secret;;',
    `http://192.168.1.100/${'x'.repeat(5000)}`,
  ])('%s is none', (text) => expect(readInvitation(text)).toBeNull())
})

describe('an address of a local network', () => {
  it.each(['localhost', '10.1.2.3', '44.1.2.3', '127.0.0.1', '169.254.1.1', '172.31.0.1', '192.168.0.1', '[fd12::1]', '[fe80::1]', 'w1aw.local', 'W1AW-thing.local.mesh'])('%s is one', (host) => expect(isLocal(host)).toBe(true))
  it.each(['example.com', 'local', 'evil-local', 'w1aw.local.example.com', '8.8.8.8', '44.200.0.1', '172.32.0.1', '[2001:db8::1]'])('%s is none', (host) => expect(isLocal(host)).toBe(false))
})
