/** Ways, networks and diagnosis, in the states a person can meet them in. */
import { signal } from '@preact/signals'
import { ago, owner } from './fake'
import { inOrder, inTheWay, net, zones } from './fake-reach'
import { click, then, type } from './hands'
import type { PageState } from './state'

const never = () => new Promise<never>(() => undefined)
const unreachable = async () => {
  throw new Error('The server does not answer. Check that it is switched on and that you are on its network.')
}
const radio = '10.7.7.7 is behind a router, as addresses on an AREDN network are'

export const reachStates: Record<string, PageState> = {
  'diagnosis-busy': { hash: '#/diagnosis', fake: { reach: { diagnose: never } } },
  'diagnosis-in-order': { hash: '#/diagnosis', fake: { reach: { diagnose: async () => inOrder } } },
  'diagnosis-in-the-way': {
    hash: '#/diagnosis/call',
    fake: { reach: { diagnose: async () => inTheWay } },
    after: (page) => then(() => click(page, 'Allow the microphone')),
  },
  'station-networks': { hash: '#/station', fake: { ...owner, internet: { online: true, since: ago(300) } }, after: (page) => then(() => unfold(page)) },
  'station-networks-none': { hash: '#/station', fake: { ...owner, reach: { zones: async () => ({ ...zones, rules: [] }) } } },
  'station-networks-failed': { hash: '#/station', fake: { ...owner, internet: null, reach: { zones: unreachable } } },
  'station-aredn': { hash: '#/station', fake: owner, after: (page) => then(() => click(page, 'Read its list'), () => openAll(page)) },
  'station-aredn-failed': {
    hash: '#/station',
    fake: {
      ...owner,
      reach: {
        arednEntry: unreachable,
        importFromNode: async () => {
          throw new Error('the node at localnode.local.mesh does not answer')
        },
      },
    },
    after: (page) => then(() => click(page, 'Read its list'), () => openAll(page)),
  },
  'servers': { hash: '#/servers', fake: owner },
  'servers-net-guest': { hash: '#/servers', fake: {} },
  'servers-net-alone': { hash: '#/servers', fake: { ...owner, reach: { net: signal({ servers: [], copyRuns: false, splits: [] }) } } },
  'servers-net-warned': {
    hash: '#/servers',
    fake: {
      ...owner,
      reach: {
        net: signal({
          ...net,
          copyRuns: true,
          splits: [{ keyId: 'd4735e3a265e16eee03f59718b9b5d03', callsign: 'N0CALL', entries: 12, heads: ['ab'.repeat(32), 'cd'.repeat(32)] as const }],
        }),
      },
    },
  },
  'servers-net-compare': { hash: '#/servers', fake: owner, after: (page) => then(() => click(page, 'Decide about K7RA')) },
  'servers-net-scanned': { hash: '#/servers', fake: owner, after: (page) => readIt(page, 'http://192.168.1.9:8080/#join') },
  'servers-net-refused': {
    hash: '#/servers',
    fake: {
      ...owner,
      reach: {
        nameServer: async () => {
          throw new Error('an address begins with http:// or https://')
        },
      },
    },
    after: (page) => then(() => type(page, 'server', 'w5yi'), () => click(page, 'Add it')),
  },
  'servers-away': {
    hash: '#/servers',
    fake: { server: { owner: 'K1ABC', ownerName: 'Carla', ownerGrid: 'FN42' }, reach: { refuge: signal({ endpoint: 'http://192.168.1.7:8080', home: 'W1AW' }) } },
  },
  'servers-looking': {
    hash: '#/servers',
    fake: {
      finding: [
        { where: 'heard', state: 'looking', servers: [{ callsign: 'K1ABC', url: 'http://192.168.1.7:8080/', address: '192.168.1.7:8080', state: 'asked', age: 12, found: 'mdns', verified: false }] },
        { where: 'known', state: 'looking', servers: [] },
        { where: 'here', state: 'looking', servers: [] },
      ],
    },
  },
  'servers-failed': {
    hash: '#/servers',
    fake: {
      session: { phase: 'waiting', retryAt: Date.now() + 9000, reason: 'This device has left the server’s Wi-Fi, or the server has stopped. Check the Wi-Fi first.' },
      finding: [
        { where: 'heard', state: 'failed', servers: [] },
        { where: 'known', state: 'done', servers: [] },
        { where: 'here', state: 'done', servers: [{ callsign: null, url: 'http://localhost:8081/', address: 'localhost:8081', state: 'answers', age: null, found: null, verified: false }] },
      ],
    },
  },
  'servers-read': { hash: '#/servers', fake: {}, after: (page) => readIt(page, 'http://192.168.1.7:8080/#join') },
  'servers-read-far': { hash: '#/servers', fake: {}, after: (page) => readIt(page, 'https://server.example/') },
  'servers-not-read': { hash: '#/servers', fake: {}, after: (page) => readIt(page, 'CQ CQ CQ') },
  'servers-no-camera': { hash: '#/servers', fake: owner, after: (page) => then(() => click(page, 'Scan with the camera')) },
  'starting-other': {
    hash: '#/servers',
    fake: {
      server: { state: 'unknown', owner: null },
      session: { phase: 'waiting', retryAt: Date.now() + 4000, reason: 'The server does not answer. It may be starting, or this device left its network.' },
    },
  },
  'guest-radio': { hash: '#/', fake: { server: { radio, secureAddress: null } } },
  'station-radio': { hash: '#/station', fake: { server: { radio, secureAddress: null } } },
  'trust-radio': { hash: '#/trust', fake: { server: { radio, secureAddress: null } } },
}

function openAll(page: HTMLElement): void {
  for (const details of page.querySelectorAll<HTMLDetailsElement>('.networks-add')) details.open = true
}

function readIt(page: HTMLElement, text: string): Promise<void> {
  return then(
    () => type(page, 'address', text),
    () => click(page, 'Read it'),
  )
}

function unfold(page: HTMLElement): void {
  const summary = page.querySelector<HTMLElement>('.networks-add summary')
  if (summary === null) throw new Error('the networks are not there yet')
  summary.click()
}
