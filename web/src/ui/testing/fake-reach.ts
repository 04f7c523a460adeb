/** Ways without an engine: a house with Wi-Fi, and a cable to an AREDN node. */
import { signal } from '@preact/signals'
import type { Check, FindStep, InternetView, NetServer, NetView, Reach, ZonesView } from '../../model-reach'

export const zones: ZonesView = {
  rules: [
    { subject: '10.0.0.0/8', zone: 'part97', source: 'owner' },
    { subject: 'wlan1', zone: 'part97', source: 'settings' },
  ],
  networks: [
    { name: 'eth1', addresses: ['10.54.3.90/29'], zone: 'part97', reason: 'the owner set 10.0.0.0/8 so' },
    { name: 'wlan0', addresses: ['192.168.1.100/24', 'fd12:3456:789a:1:2ab:cdff:fe12:3456/64'], zone: 'open', reason: 'it looks like an ordinary network' },
    { name: 'wlan1', addresses: ['172.20.0.1/24'], zone: 'part97', reason: 'the server’s settings say so of wlan1' },
  ],
}

export function check(about: Check['about'], state: Check['state'], sentence: string, action: string | null = null, help: Check['help'] = null): Check {
  return { about, state, sentence, action, help }
}

export const inOrder: readonly Check[] = [
  check('server', 'ok', 'The server answers.'),
  check('network', 'ok', 'The server is on the network as 192.168.1.100.'),
  check('zone', 'ok', 'No amateur frequencies are known to be between you and the server.'),
  check('route', 'ok', 'This browser finds a way onto the network.'),
  check('address', 'ok', 'The server sees you at the address your browser uses, 192.168.1.23.'),
  check('multicast', 'ok', 'Device discovery (multicast) works between you and the server.'),
  check('isolation', 'unknown', 'Whether this Wi-Fi keeps its devices apart shows only when a call fails.'),
  check('certificate', 'ok', 'This page is secure: keys, microphone and camera work here.'),
]

export const inTheWay: readonly Check[] = [
  check('server', 'ok', 'The server answers.'),
  check(
    'route',
    'problem',
    'This browser finds no way onto the network: the network has no default route, and without one Chrome and Edge look for ways only once they may use the microphone.',
    'Allow the microphone once, here or at the other end of a call, or give this network any gateway. Nothing is recorded.',
    'microphone',
  ),
  check('address', 'unknown', 'Your browser did not tell by which address it knows itself.'),
  check(
    'multicast',
    'problem',
    'This network blocks device discovery (multicast) between you and the server.',
    'Allow multicast on the access point; the setting is often called client isolation or multicast filtering.',
  ),
  check('certificate', 'problem', 'This device does not trust the server’s certificate, so that there are no keys and no microphone here.', 'Install the certificate: three steps, about a minute.', 'trust'),
]

const k7ra = '4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce'
const root = { fingerprint: '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9', callsign: 'K7RA' }

export const netServer = (more: Partial<NetServer>): NetServer => ({
  id: '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
  callsign: 'K1ABC',
  endpoint: 'https://192.168.1.7:8080',
  state: 'linked',
  plain: false,
  radio: false,
  through: [],
  links: [],
  reason: null,
  root: null,
  named: false,
  ...more,
})

export const net: NetView = {
  servers: [
    netServer({ links: ['DL/W1AW/P', 'N0XYZ'] }),
    netServer({ id: 'd4', callsign: 'DL/W1AW/P', endpoint: 'https://[fd12:3456:789a:1:2ab:cdff:fe12:3456]:8080', state: 'reachable', through: ['K1ABC'], links: ['K1ABC'] }),
    netServer({ id: '4e', callsign: 'N0XYZ', endpoint: 'http://10.54.3.90:8080', radio: true, named: true, links: ['K1ABC'] }),
    netServer({ id: k7ra, callsign: 'K7RA', endpoint: 'https://192.168.1.9:8080', state: 'unknown', root, reason: 'nobody this server trusts vouches for it' }),
    netServer({ id: '71', callsign: 'W1AW', endpoint: 'http://192.168.1.50:8080', state: 'unknown', plain: true }),
    netServer({ id: 'ef', callsign: 'KH6YY', endpoint: 'https://192.168.1.44:8080', state: 'gone' }),
    netServer({ id: '79', callsign: 'N0CALL', endpoint: 'https://192.168.1.66:8080', state: 'blacklisted', reason: 'its owner’s certificate is blacklisted here' }),
    netServer({ id: '2c', callsign: null, endpoint: 'https://w5yi.local:8080', state: 'searching', named: true, reason: 'nobody answers there' }),
  ],
  copyRuns: false,
  splits: [],
}

export const found: readonly FindStep[] = [
  {
    where: 'heard',
    state: 'done',
    servers: [
      { callsign: 'DL/W1AW/P', url: 'http://[fd12:3456:789a:1:2ab:cdff:fe12:3456]:8080/', address: '[fd12:3456:789a:1:2ab:cdff:fe12:3456]:8080', state: 'answers', age: 0, found: 'peer', verified: true },
      { callsign: 'K1ABC', url: 'http://192.168.1.7:8080/', address: '192.168.1.7:8080', state: 'silent', age: 47, found: 'mdns', verified: false },
      { callsign: 'K7RA', url: 'http://10.54.7.9:8080/', address: '10.54.7.9:8080', state: 'answers', age: 700, found: 'manual', verified: false },
      { callsign: 'N0XYZ', url: 'http://192.168.40.3:8080/', address: '192.168.40.3:8080', state: 'asked', age: null, found: 'peer', verified: true },
    ],
  },
  { where: 'known', state: 'done', servers: [{ callsign: 'N0XYZ', url: 'http://192.168.1.12:8081/', address: '192.168.1.12:8081', state: 'unasked', age: 93_000, found: null, verified: false }] },
  { where: 'here', state: 'done', servers: [] },
]

/** Anything with a slash in it leads somewhere. */
function read(text: string) {
  if (!text.includes('/')) return null
  const local = !text.includes('example')
  const fingerprint = text.includes('192.168.1.9') ? k7ra : '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0a'
  return { url: text, address: new URL(text).host, fingerprint: local ? fingerprint : null, local }
}

export function fakeReach(more: Partial<Reach>, internet: InternetView | null, finding: readonly FindStep[] | null, tell: (act: string, ...words: readonly unknown[]) => void): Reach {
  return {
    refuge: signal(null),
    internet: signal(internet),
    watchInternet: () => () => undefined,
    zones: async () => zones,
    setZones: async (rules) => {
      tell('setZones', ...rules.map(({ subject, zone }) => `${subject}=${zone}`))
      return zones
    },
    diagnose: async () => inOrder,
    arednEntry: async () => ({
      name: 'W1AW ham-server',
      host: 'w1aw-ham-server',
      address: '10.54.3.90',
      port: 8080,
      line: 'http://w1aw-ham-server:8080/|tcp|W1AW ham-server',
    }),
    importFromNode: async (node) => {
      tell('importFromNode', node)
      return [
        { callsign: 'K1ABC', url: 'http://k1abc-ham-server.local.mesh:8080/', address: 'k1abc-ham-server.local.mesh:8080' },
        { callsign: null, url: 'http://n0xyz-ham-server.local.mesh:8080/', address: 'n0xyz-ham-server.local.mesh:8080' },
      ]
    },
    finding: signal(finding),
    find: () => undefined,
    net: signal(net),
    watchNet: () => () => undefined,
    nameServer: async (endpoint) => tell('nameServer', endpoint),
    unnameServer: async (id) => tell('unnameServer', id),
    acceptServer: async (id, fingerprint) => tell('acceptServer', id, fingerprint),
    readInvitation: read,
    askForMicrophone: async () => false,
    ...more,
  }
}
