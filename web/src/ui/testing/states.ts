/** Every page in the states a person can meet it in: empty, busy, failed. */
import type { CallPhase, ConversationView, PathStep, Proof } from '../../model'
import type { Device } from '../device'
import { certificateStates } from './certificate-states'
import { ago, conversation, type Fake, file, fingerprint, owner, ownersKey, person, text } from './fake'
import { choose, click, type } from './hands'
import { reachStates } from './reach-states'
import type { PageState } from './state'

const never = () => new Promise<never>(() => undefined)

/** The steps as a device of that kind sees them. */
function trustSteps(device: Device): PageState {
  return { hash: '#/trust', fake: {}, after: (page) => choose(page, 'device', device) }
}

/** What a browser says when the person returns from the settings; the page looked for itself before, with its first frame. */
function comeBack(): void {
  requestAnimationFrame(() => setTimeout(() => document.dispatchEvent(new Event('visibilitychange'))))
}

/** The first look finds no trust. */
function firstNotThen(url: string): () => Promise<string | null> {
  let looks = 0
  return async () => (++looks === 1 ? null : url)
}

const unclaimed: Fake = {
  server: { state: 'unclaimed', owner: null, ownerName: null, ownerGrid: null, fingerprint: null },
}
const unclaimedHere: Fake = { server: { ...unclaimed.server, local: true, secure: true } }

const k1abc = person('K1ABC', { licenceClass: 'General' })
const w1aw = person('W1AW', { licenceClass: 'Amateur Extra', since: ago(95) })
const guest = person('Guest 3F2A', { fresh: true, since: ago(0) })
const dl = person('DL0OO', { licenceClass: 'Class A', verified: false })

const crowd = [
  k1abc,
  dl,
  person('F/OE1XYZ/P', { licenceClass: 'CEPT Novice' }),
  guest,
  person('Guest 71C0'),
  person('KI7IOI', { fresh: true, since: ago(0) }),
  person('2E0ABC'),
  person('VK9XYZA'),
  person('Guest 0B88'),
  person('JA1Q'),
]

const talk = [
  text('Good morning. The repeater on the hill is down since the storm, so I came down here.', false),
  text('Good to see you. Do you have the list of the shelters?', true),
  text('Yes, sending it now.', false),
  file('shelters and water points, county map (revised).pdf', false, {
    size: 4_210_000,
    moved: 4_210_000,
    state: 'complete',
    sha256: fingerprint,
    url: 'data:,',
  }),
  text('Arrived. Thank you.\nI pass it on to the school and the fire station.', true),
]

const talkWith = (entries: NonNullable<Parameters<typeof conversation>[1]>['entries'], phase: CallPhase = 'connected', reason: string | null = null): Fake => ({
  ...owner,
  people: [w1aw, k1abc, guest].filter((one) => !one.isOwner),
  conversations: [conversation(k1abc, { phase, reason, ...(entries === undefined ? {} : { entries }) })],
})

const withK1abc = '#/with/k1abc'

const step = (callsign: string, server = false): PathStep => ({ callsign, server, fingerprint })

const proven: Proof = {
  kind: 'proven',
  voucher: { callsign: 'W1AW', server: true, method: 'in-person' },
  path: [step('K1ABC'), { ...step('W1AW', true), fingerprint: '1'.repeat(64) }, { ...step('W1AW'), fingerprint: '2'.repeat(64) }],
}

function talkProof(proof: Proof, more: Partial<ConversationView> = {}): Fake {
  return { ...owner, people: [k1abc], conversations: [conversation(k1abc, { entries: talk, proof, ...more })] }
}

export const states: Record<string, PageState> = {
  'starting': { hash: '', fake: { server: { state: 'unknown', owner: null }, session: { phase: 'connecting' } } },
  'starting-failed': {
    hash: '',
    fake: {
      server: { state: 'unknown', owner: null },
      session: { phase: 'waiting', retryAt: Date.now() + 4000, reason: 'The server does not answer. It may be starting, or this device left its network.' },
    },
  },

  'claim-empty': { hash: '', fake: unclaimedHere },
  'claim-odd': {
    hash: '',
    fake: unclaimedHere,
    after: (page) => {
      type(page, 'callsign', 'gb100rsgb')
      click(page, 'Bring my key')
      click(page, 'Let people on this network join')
    },
  },
  'claim-busy': {
    hash: '',
    fake: { ...unclaimedHere, actions: { claim: never } },
    after: (page) => {
      type(page, 'callsign', 'W1AW')
      click(page, 'Claim')
    },
  },
  'claim-failed': {
    hash: '',
    fake: {
      ...unclaimedHere,
      actions: { claim: async () => ({ ok: false, field: 'grid', problem: 'A grid square looks like FN31 or FN31pr.' }) },
    },
    after: (page) => {
      type(page, 'callsign', 'W1AW')
      type(page, 'grid', 'Boston')
      click(page, 'Claim')
    },
  },
  'claim-refused': {
    hash: '',
    fake: {
      ...unclaimedHere,
      actions: { claim: async () => ({ ok: false, field: null, problem: 'Somebody else claimed this server a moment ago. Load the page anew to see who.' }) },
    },
    after: (page) => {
      type(page, 'callsign', 'W1AW')
      click(page, 'Claim')
    },
  },

  'unclaimed-network': { hash: '', fake: unclaimed },
  'closed': { hash: '', fake: { server: { state: 'claimed' } } },
  'unknown-server': {
    hash: '',
    fake: {
      server: { secure: true },
      session: { phase: 'unknown-server', unknownServer: { owner: 'W1AW', fingerprint } },
      identity: { ...ownersKey, callsign: 'K1ABC', vouchedBy: 'W1AW', method: 'in-person' },
    },
  },
  'unknown-server-failed': {
    hash: '',
    fake: {
      server: { secure: true },
      session: { phase: 'unknown-server', unknownServer: { owner: 'W1AW', fingerprint } },
      identity: ownersKey,
      actions: {
        trustServer: async () => {
          throw new Error('The server did not answer while logging in. Try again.')
        },
      },
    },
    after: (page) => click(page, 'They match'),
  },

  'owner-empty': { hash: '#/', fake: { ...owner, identity: { ...ownersKey, backedUp: false } } },
  'owner-backup': {
    hash: '#/',
    fake: { ...owner, identity: { ...ownersKey, backedUp: false } },
    after: (page) => {
      click(page, 'Save a copy')
      setTimeout(() => {
        type(page, 'first', 'long enough')
        type(page, 'second', 'but different')
        click(page, 'Save the .p12')
      })
    },
  },
  'owner-busy': {
    hash: '#/',
    fake: {
      ...owner,
      people: crowd,
      conversations: [
        conversation(k1abc, { entries: talk, unread: 2 }),
        conversation(dl, { phase: 'interrupted' }),
        conversation(person('N0CAL', { since: ago(120) }), { present: false, phase: 'ended', entries: talk }),
      ],
    },
  },
  'owner-no-network': { hash: '#/', fake: { ...owner, server: { ...owner.server, addresses: [] } } },
  'owner-closed': { hash: '#/', fake: { ...owner, server: { ...owner.server, state: 'claimed' } } },
  'owner-disconnected': {
    hash: '#/',
    fake: {
      ...owner,
      people: [k1abc, guest],
      session: { ...owner.session, phase: 'waiting', since: ago(1), retryAt: Date.now() + 4000, reason: 'The server does not answer. Conversations go on; new people cannot be seen.' },
    },
  },
  'owner-refused': {
    hash: '#/',
    fake: { ...owner, session: { ...owner.session, phase: 'refused', reason: 'This is not the server that this browser knows as W1AW’s: its key is another. Ask W1AW before you go on.' } },
  },
  'owner-stopped': {
    hash: '#/',
    fake: { ...owner, session: { ...owner.session, phase: 'stopped', reason: 'The app is open in another tab with the same key. Use that one, or try again here.' } },
  },

  'guest-empty': { hash: `#join=1.${fingerprint}`, fake: {} },
  'guest-busy': { hash: '#/', fake: { people: [w1aw, k1abc, guest, person('Guest 71C0')] } },
  'guest-called': {
    hash: '#/',
    fake: { people: [w1aw, k1abc, guest], conversations: [conversation(k1abc, { unread: 1, entries: [text('Hello, are you at the school?', false)] })] },
  },
  'guest-disconnected': {
    hash: '#/',
    fake: { session: { phase: 'waiting', retryAt: Date.now() + 9000, reason: 'This device has left the server’s Wi-Fi, or the server has stopped. Check the Wi-Fi first.' } },
  },

  'talk-not-called': { hash: withK1abc, fake: { ...owner, people: [k1abc, guest] } },
  'talk-nobody': { hash: '#/with/somebody-else', fake: { ...owner, people: [k1abc] } },
  'talk-connecting': { hash: withK1abc, fake: talkWith([text('Are you there?', true, { state: 'sending' })], 'connecting') },
  'talk-empty': { hash: withK1abc, fake: talkWith([]) },
  'talk-text': {
    hash: withK1abc,
    fake: talkWith([...talk, text('This line is still on its way.', true, { state: 'sending' }), text('And this one was lost.', true, { state: 'failed' })]),
    after: (page) => page.querySelector('summary')?.click(),
  },
  'talk-proven': {
    hash: withK1abc,
    fake: talkProof(proven),
    after: (page) => page.querySelector<HTMLElement>('.proof summary')?.click(),
  },
  'talk-unproven': {
    hash: withK1abc,
    fake: talkProof({ kind: 'unproven', why: 'nobody-known', certificate: step('K1ABC') }),
    after: (page) => page.querySelector<HTMLElement>('.proof summary')?.click(),
  },
  'talk-plain-page': {
    hash: withK1abc,
    fake: { people: [w1aw, k1abc], conversations: [conversation(k1abc, { entries: talk, proof: { kind: 'plain-page' } })] },
    after: (page) => page.querySelector<HTMLElement>('.proof summary')?.click(),
  },
  'talk-with-guest': {
    hash: '#/with/guest-3f2a',
    fake: { ...owner, people: [k1abc, guest], conversations: [conversation(guest, { entries: [text('Hello', false)], proof: { kind: 'no-key' } })] },
  },
  'talk-refused': { hash: withK1abc, fake: talkWith([], 'failed', 'Somebody between you and K1ABC changed this call, so it was refused. Call again. If it happens again, ask K1ABC by another way, and tell the owner of this server.') },
  'talk-notice': { hash: withK1abc, fake: talkProof(proven, { notice: { at: ago(1), words: 'Somebody between you and K1ABC tried to change the encryption key of this call. It was refused. The call goes on as it was.' } }) },
  'talk-files': {
    hash: withK1abc,
    fake: talkWith([
      file('antenna-plan.pdf', false, { size: 812_000 }),
      file('disk-image.iso', false, { size: 4_700_000_000, tooLarge: 'This browser can hold files of at most 500 MB on this page, and this one has 4.7 GB. Ask for it in parts.' }),
      file('photo of the bridge.jpg', true),
      file('logbook.adi', true, { state: 'moving', moved: 13_100_000, speed: 3_140_000, secondsLeft: 2.2 }),
      file('weather.grib', false, { state: 'checking', moved: 20_000_000 }),
    ]),
    after: (page) => click(page, 'Hang up'),
  },
  'talk-files-done': {
    hash: withK1abc,
    fake: talkWith([
      file('map.png', true, { state: 'complete', sha256: fingerprint }),
      file('frequencies.csv', false, { state: 'complete', size: 17, sha256: fingerprint, savedToDisk: true }),
      file('old.zip', true, { state: 'refused' }),
      file('video.mp4', false, { state: 'cancelled', moved: 4_000_000 }),
      file('roster.ods', false, { state: 'failed', reason: 'The file arrived damaged: its fingerprint differs. Ask K1ABC to send it again.' }),
    ]),
    after: (page) => page.querySelector<HTMLElement>('.file-sum summary')?.click(),
  },
  'talk-interrupted': { hash: withK1abc, fake: talkWith(talk, 'interrupted') },
  'talk-failed': {
    hash: withK1abc,
    fake: talkWith([], 'failed', 'The two devices found no way to each other. This network may keep its devices apart: try another Wi-Fi, or a cable.'),
  },
  'talk-ended': { hash: withK1abc, fake: talkWith(talk, 'ended', 'K1ABC hung up.') },
  'talk-guest': {
    hash: withK1abc,
    fake: { people: [w1aw, k1abc], conversations: [conversation(k1abc, { entries: talk })] },
  },
  'talk-guest-ended': {
    hash: withK1abc,
    fake: { people: [w1aw, k1abc], conversations: [conversation(k1abc, { entries: talk, phase: 'ended', reason: 'K1ABC hung up.' })] },
  },
  'talk-gone': {
    hash: withK1abc,
    fake: { ...owner, conversations: [conversation(k1abc, { entries: talk, phase: 'ended', present: false, reason: 'K1ABC closed the page.' })] },
  },

  'station-owner': { hash: '#/station', fake: { ...owner, identity: { ...ownersKey, backedUp: false } } },
  'station-forget': {
    hash: '#/station',
    fake: { ...owner, identity: { ...ownersKey, exportable: false }, conversations: [conversation(k1abc)] },
    after: (page) => {
      click(page, 'Forget this key')
      setTimeout(() => {
        type(page, 'callsign', 'w1')
        click(page, 'Forget the key')
      })
    },
  },
  'station-owner-closed': { hash: '#/station', fake: { ...owner, server: { ...owner.server, state: 'claimed' } } },
  'station-close': {
    hash: '#/station',
    fake: { ...owner, people: [k1abc] },
    after: (page) => click(page, 'Keep it to this machine'),
  },
  'station-close-failed': {
    hash: '#/station',
    fake: {
      ...owner,
      people: [],
      actions: {
        setOpenToNetwork: async () => {
          throw new Error('The server does not answer. Check that it is switched on and that you are on its network.')
        },
      },
    },
    after: (page) => click(page, 'Keep it to this machine'),
  },
  'station-guests-call': { hash: '#/station', fake: { ...owner, server: { ...owner.server, guestCalls: true } } },
  'station-guests-failed': {
    hash: '#/station',
    fake: {
      ...owner,
      actions: {
        setGuestCalls: async () => {
          throw new Error('The server does not answer. Check that it is switched on and that you are on its network.')
        },
      },
    },
    after: (page) => click(page, 'Let guests call each other'),
  },
  'station-guest': { hash: '#/station', fake: {} },
  'station-import-failed': {
    hash: '#/station',
    fake: { server: { secure: true } },
    after: (page) => click(page, 'Log in with this key'),
  },

  'trust-ios': trustSteps('apple-mobile'),
  'trust-android': trustSteps('android'),
  'trust-windows': trustSteps('windows'),
  'trust-mac': trustSteps('mac'),
  'trust-linux': trustSteps('linux'),
  'trust-firefox': trustSteps('firefox'),
  'trust-failed': {
    hash: '#/trust',
    fake: {},
    after: (page) => {
      choose(page, 'device', 'apple-mobile')
      setTimeout(() => {
        click(page, 'Download the profile')
        comeBack()
      })
    },
  },
  'trust-returned': {
    hash: '#/trust',
    // A conversation is open: nobody is taken away from it.
    fake: { session: { net: 'hilltop' }, conversations: [conversation(person('W1AW'))], actions: { probeSecure: firstNotThen('https://w1aw.local:8080') } },
    after: (page) => {
      click(page, 'Download')
      comeBack()
    },
  },
  'trust-works': { hash: '#/trust', fake: { actions: { probeSecure: async () => 'https://w1aw.local:8080' } } },
  'trust-secure': { hash: '#/trust', fake: { server: { secure: true } } },
  'trust-none': { hash: '#/trust', fake: { server: { secureAddress: null } } },

  'licence': { hash: '#/licence', fake: {} },

  ...certificateStates,
  ...reachStates,
}
