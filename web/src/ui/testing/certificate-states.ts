/** The pages about certificates in the states a person can meet them in. */
import type { AdviceList, CertificatePage } from '../../model-certificates'
import { type Fake, owner, ownersKey } from './fake'
import {
  around,
  certificate,
  digest,
  explained,
  k1abcHeld,
  losing,

  noDecisions,

  request,
  step,
  view,
  w1awRoot,
  w1awServer,
} from './fake-certificates'
import { click, then, type } from './hands'
import type { PageState } from './state'

const never = () => new Promise<never>(() => undefined)
const refuses = (words: string) => async () => {
  throw new Error(words)
}
const away = refuses('The server does not answer. Check that it is switched on and that you are on its network.')

/** An operator whom W1AW vouched for. */
const k1abc: Fake = {
  server: { secure: true },
  session: { role: 'licensed' },
  identity: { ...ownersKey, callsign: 'K1ABC', licenceClass: 'General', vouchedBy: 'W1AW', method: 'in-person', exportable: false, keyId: k1abcHeld.keyId, fingerprint: k1abcHeld.fingerprint },
  certificates: { mine: async () => ({ held: view(k1abcHeld), explanation: explained(k1abcHeld), others: [], pem: '' }) },
}
/** An operator from elsewhere, logged in as a guest. */
const stranger: Fake = {
  ...k1abc,
  session: { role: 'unlicensed' },
  identity: { ...ownersKey, callsign: '2E0ABC', licenceClass: 'Intermediate', vouchedBy: '2E0ABC', exportable: false },
}
const secureGuest: Fake = { server: { secure: true } }

const of = (summary: { fingerprint: string }) => `#/certificate/${summary.fingerprint}`
const detail = (summary: typeof k1abcHeld, fake: Fake, more: Parameters<typeof view>[1] = {}, after?: PageState['after']): PageState => ({
  hash: of(summary),
  fake: { ...fake, certificates: { get: async () => view(summary, more), explain: async () => explained(summary), ...fake.certificates } },
  ...(after ? { after } : {}),
})

const blacklisted = certificate('VK9XYZ', { status: 'blacklisted', licenceClass: 'Advanced' })
const untrusted = certificate('2E0ABC', { status: 'untrusted', vouchedBy: '2E0ABC', method: 'self-asserted' })

const ownDecision = { scope: 'key' as const, fingerprint: null, keyId: blacklisted.keyId, callsign: 'VK9XYZ', reason: 'Called on the emergency net under three callsigns.' }

/** Whom others distrust: a verified server's word, strangers' words, one about the owner, and one about nobody known. */
const advised: AdviceList = {
  advice: [
    {
      id: digest('advice one'),
      by: { callsign: 'DL0OO', verified: true, proven: true },
      scope: 'key',
      fingerprint: k1abcHeld.fingerprint,
      target: k1abcHeld.keyId,
      callsign: 'K1ABC',
      reason: 'Sold the laptop with the key in it, and the new owner has no licence.',
      trusted: true,
      own: false,
    },
    {
      id: digest('advice two'),
      by: { callsign: 'OE1XYZ', verified: false, proven: true },
      scope: 'certificate',
      fingerprint: w1awRoot.fingerprint,
      target: w1awRoot.keyId,
      callsign: 'W1AW',
      reason: '',
      trusted: true,
      own: true,
    },
    {
      id: digest('advice three'),
      by: { callsign: 'N0XYZ', verified: false, proven: false },
      scope: 'subtree',
      fingerprint: untrusted.fingerprint,
      target: untrusted.keyId,
      callsign: '2E0ABC',
      reason: `Do not trust this station, nor whoever it vouches for: ${'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'.repeat(3)}…`,
      trusted: false,
      own: false,
    },
    {
      id: digest('advice four'),
      by: { callsign: 'DL0OO', verified: true, proven: true },
      scope: 'key',
      fingerprint: null,
      target: digest('never seen'),
      callsign: null,
      reason: 'Jams the repeater.',
      trusted: false,
      own: false,
    },
  ],
  leftOut: 3,
}
const shown = (fake: Fake['certificates']): Fake => ({ ...owner, certificates: { blacklisted: async () => ({ entries: [ownDecision], published: false }), advice: async () => advised, ...fake } })

const decisions = {
  ...noDecisions,
  requests: [
    {
      id: 'r1',
      callsign: 'N0XYZ',
      licenceClass: 'General',
      keyId: digest('N0XYZ request'),
      method: 'document' as const,
      note: 'I am the one with the red van beside the school. My licence is in the glove box.',
      why: 'It came without a proof that this server can check.',
      askedAt: Date.now() - 20 * 60_000,
    },
    {
      id: 'r2',
      callsign: 'K1ABC',
      licenceClass: null,
      keyId: digest('K1ABC other'),
      method: 'lotw' as const,
      note: null,
      why: 'Another key is trusted for K1ABC already.',
      askedAt: Date.now() - 3 * 60_000,
    },
  ],
}

const disputes = {
  ...noDecisions,
  contested: [{ callsign: 'DL0OO', keys: [{ keyId: digest('a'), fingerprint: digest('b') }, { keyId: digest('c'), fingerprint: digest('d') }] }],
  disputes: [{ old: digest('old'), callsign: 'KI7IOI', successors: [{ keyId: digest('e'), fingerprint: digest('f') }, { keyId: digest('g'), fingerprint: null }] }],
  awaiting: [{ callsign: 'VK9XYZ', keyId: digest('h'), fingerprint: digest('i') }],
}

const manyPages = (): ((query: { after: string | null }) => Promise<CertificatePage>) => {
  const all = Array.from({ length: 120 }, (_, index) => certificate(`K${index % 10}${String.fromCharCode(65 + (index % 26))}${String.fromCharCode(65 + Math.floor(index / 10))}X`, { fingerprint: digest(`many ${index}`) }))
  return async ({ after }) => {
    const from = Number(after ?? 0)
    return { certificates: all.slice(from, from + 50), next: from + 50 < all.length ? String(from + 50) : null }
  }
}

const aCode = `1.N0XYZ.General.MZXW6YTBOI7A2K4Q`
const aRequest = `1.${request.keyId}.N0XYZ.General`

/** Opens what is folded. */
function open(page: HTMLElement): void {
  const folded = page.querySelector('details')
  if (folded === null) throw new Error('nothing is folded')
  folded.open = true
}

export const certificateStates: Record<string, PageState> = {
  'certificates-guest': { hash: '#/certificates', fake: secureGuest },
  'certificates-guest-plain': { hash: '#/certificates', fake: {} },
  'certificates-mine': { hash: '#/certificates', fake: k1abc },
  'certificates-mine-owner': { hash: '#/certificates', fake: { ...owner, waiting: 2 } },
  'certificates-mine-busy': { hash: '#/certificates', fake: { ...k1abc, certificates: { mine: never } } },
  'certificates-mine-failed': { hash: '#/certificates', fake: { ...k1abc, certificates: { mine: away } } },
  'certificates-mine-unknown': {
    hash: '#/certificates',
    fake: { ...stranger, certificates: { mine: async () => ({ held: null, explanation: null, others: [], pem: '' }) } },
  },
  'certificates-mine-untrusted': {
    hash: '#/certificates',
    fake: { ...stranger, certificates: { mine: async () => ({ held: view(untrusted), explanation: explained(untrusted), others: [], pem: '' }) } },
  },
  'certificates-mine-vouched': {
    hash: '#/certificates',
    fake: {
      ...stranger,
      certificates: { mine: async () => ({ held: view(untrusted), explanation: explained(untrusted), others: [certificate('2E0ABC')], pem: '' }) },
    },
  },
  'certificates-mine-blacklisted': {
    hash: '#/certificates',
    fake: { ...stranger, certificates: { mine: async () => ({ held: view(blacklisted), explanation: explained(blacklisted), others: [], pem: '' }) } },
  },
  'certificates-demoted': {
    hash: '#/certificates',
    fake: {
      ...k1abc,
      session: { role: 'unlicensed', reason: 'The owner of this server blacklisted this certificate.' },
      certificates: { mine: async () => ({ held: view({ ...k1abcHeld, status: 'blacklisted' }), explanation: explained({ ...k1abcHeld, status: 'blacklisted' }), others: [], pem: '' }) },
    },
  },
  'certificates-change-key': { hash: '#/certificates', fake: k1abc, after: (page) => then(() => click(page, 'Change my key')) },
  'certificates-withdraw': {
    hash: '#/certificates',
    fake: owner,
    after: (page) =>
      then(
        () => click(page, 'Withdraw this key'),
        () => {
          type(page, 'callsign', 'w1')
          click(page, 'Withdraw the key')
        },
      ),
  },

  'certificates-people': { hash: '#/certificates/people', fake: owner },
  'certificates-people-many': { hash: '#/certificates/people', fake: { certificates: { list: manyPages() } }, after: (page) => then(() => click(page, 'Show more')) },
  'certificates-people-busy': { hash: '#/certificates/people', fake: { certificates: { list: never } } },
  'certificates-people-failed': { hash: '#/certificates/people', fake: { certificates: { list: away } } },
  'certificates-people-none': {
    hash: '#/certificates/people',
    fake: { certificates: { list: async () => ({ certificates: [], next: null }) } },
    after: (page) => then(() => narrow(page, 'untrusted')),
  },

  'certificate-trusted': detail(k1abcHeld, {}),
  'certificate-operator-owner': detail(k1abcHeld, owner),
  'certificate-operator': detail(certificate('N0XYZ'), k1abc, { generation: 2 }),
  'certificate-vouch': detail(untrusted, k1abc, {}, (page) => then(() => click(page, 'I checked their licence'))),
  'certificate-vouch-failed': detail(untrusted, { ...k1abc, certificates: { vouch: refuses('As many certificates stand below your key as the owner allows. Ask the owner to raise it.') } }, {}, (page) =>
    then(
      () => click(page, 'I checked their licence'),
      () => click(page, 'Vouch for 2E0ABC'),
    ),
  ),
  'certificate-by-us': detail(certificate('N0XYZ', { vouchedBy: 'K1ABC' }), k1abc, { byUs: true }, (page) => then(() => click(page, 'Take back my word'))),
  'certificate-contested': detail(k1abcHeld, owner, {
    contestedBy: [digest('other')],
    advice: [{ keyId: digest('w'), callsign: 'DL0OO' }],
    successor: digest('s'),
  }),
  'certificate-blacklist': detail(k1abcHeld, owner, {}, (page) =>
    then(
      () => click(page, 'Blacklist'),
      () => click(page, 'This key and everybody below'),
    ),
  ),
  'certificate-blacklist-many': detail(
    k1abcHeld,
    { ...owner, certificates: { preview: async () => ({ ...losing(...Array.from({ length: 40 }, (_, index) => `K${index % 10}AB${String.fromCharCode(65 + (index % 26))}`)), loseCount: 2041, keysLost: 1987 }) } },
    {},
    (page) => then(() => click(page, 'Blacklist')),
  ),
  'certificate-blacklist-done': detail(k1abcHeld, owner, {}, (page) =>
    then(
      () => click(page, 'Blacklist'),
      () => type(page, 'callsign', 'k1abc'),
      () => click(page, 'Blacklist K1ABC'),
    ),
  ),
  'certificate-blacklisted': detail(blacklisted, {
    ...owner,
    certificates: { blacklisted: async () => ({ entries: [ownDecision], published: false }) },
  }),
  'certificate-untrusted': detail(untrusted, {
    certificates: {
      explain: async () => ({ ...explained(untrusted), blocked: [{ step: step(blacklisted), cause: 'the owner of this server blacklisted its holder’s key' }], trustedBy: [k1abcHeld.fingerprint] }),
    },
  }),
  'certificate-root': detail(w1awRoot, owner),
  'certificate-server': detail(w1awServer, {}),
  'certificate-table': {
    ...detail(k1abcHeld, { certificates: { around: async () => ({ ...around, people: [...around.people, untrusted], more: true }) } }),
    after: (page) => then(() => click(page, 'Show as a table')),
  },
  'certificate-busy': detail(k1abcHeld, { certificates: { get: never, around: never } }),
  'certificate-failed': detail(k1abcHeld, { certificates: { get: refuses('This server holds no such certificate. It may have been evicted; look in the list.'), around: away } }),

  'requests-none': { hash: '#/certificates/requests', fake: owner },
  'requests-some': { hash: '#/certificates/requests', fake: { ...owner, waiting: 2, certificates: { decisions: async () => decisions } } },
  'requests-disputes': { hash: '#/certificates/requests', fake: { ...owner, waiting: 3, certificates: { decisions: async () => disputes } } },
  'requests-refuse': { hash: '#/certificates/requests', fake: { ...owner, waiting: 2, certificates: { decisions: async () => decisions } }, after: (page) => then(() => click(page, 'Refuse')) },
  'requests-failed': { hash: '#/certificates/requests', fake: { ...owner, certificates: { decisions: away, codes: away } } },
  'requests-busy': { hash: '#/certificates/requests', fake: { ...owner, certificates: { decisions: never, codes: never } } },
  'requests-code': {
    hash: '#/certificates/requests',
    fake: { ...owner, certificates: { codes: async () => [{ id: 'a', callsign: 'DL0OO', licenceClass: 'Class A', madeAt: Date.now() - 3_600_000 }] } },
    after: (page) =>
      then(
        () => {
          type(page, 'callsign', 'n0xyz')
          type(page, 'licenceClass', 'General')
        },
        () => click(page, 'Make a code'),
      ),
  },

  'distrust-none': { hash: '#/certificates/distrust', fake: owner },
  'distrust-advice': { hash: '#/certificates/distrust', fake: shown({}), after: (page) => then(() => open(page)) },
  'distrust-published': { hash: '#/certificates/distrust', fake: shown({ blacklisted: async () => ({ entries: [ownDecision], published: true }) }) },
  'distrust-decide': { hash: '#/certificates/distrust', fake: shown({}), after: (page) => then(() => click(page, 'Decide about K1ABC')) },
  'distrust-decided': {
    hash: '#/certificates/distrust',
    fake: shown({}),
    after: (page) =>
      then(
        () => click(page, 'Decide about K1ABC'),
        () => type(page, 'callsign', 'k1abc'),
        () => click(page, 'Blacklist K1ABC'),
      ),
  },
  'distrust-dismiss-failed': {
    hash: '#/certificates/distrust',
    fake: shown({ dismissAdvice: refuses('Nobody advises that now; it may have been withdrawn, or dismissed already.') }),
    after: (page) => then(() => click(page, 'Dismiss')),
  },
  'distrust-failed': { hash: '#/certificates/distrust', fake: { ...owner, certificates: { advice: away, blacklisted: away } } },
  'distrust-busy': { hash: '#/certificates/distrust', fake: { ...owner, certificates: { advice: never, blacklisted: never } } },
  'distrust-operator': { hash: '#/certificates/distrust', fake: k1abc },

  'roots-guest': { hash: '#/certificates/roots', fake: {} },
  'roots-owner': { hash: '#/certificates/roots', fake: owner },
  'roots-remove': {
    hash: '#/certificates/roots',
    fake: owner,
    after: (page) => then(() => click(page, 'Remove')),
  },
  'roots-found': { hash: '#/certificates/roots', fake: owner, after: (page) => then(() => putFile(page), () => click(page, 'Look into the file'), () => click(page, 'OE1XYZ')) },
  'roots-failed': { hash: '#/certificates/roots', fake: { ...owner, certificates: { roots: away } } },
  'roots-added': {
    hash: '#/certificates/roots',
    fake: owner,
    after: (page) => then(() => putFile(page), () => click(page, 'Look into the file'), () => click(page, 'OE1XYZ'), () => click(page, 'They match')),
  },

  'log-whole': { hash: '#/certificates/log', fake: {}, after: (page) => then(() => click(page, 'Check the log')) },
  'log-empty': { hash: '#/certificates/log', fake: { certificates: { log: async () => ({ entries: [], next: null, size: 0 }) } } },
  'log-broken': {
    hash: '#/certificates/log',
    fake: { certificates: { checkLog: async () => ({ ok: false, problem: 'Entry 3 does not follow the one before it: the log was changed.' }) } },
    after: (page) => then(() => click(page, 'Check the log')),
  },
  'log-busy': { hash: '#/certificates/log', fake: { certificates: { log: never, checkLog: never } }, after: (page) => then(() => click(page, 'Check the log')) },
  'log-failed': { hash: '#/certificates/log', fake: { certificates: { log: away } } },

  'become-code': { hash: '#/become', fake: secureGuest },
  'become-scanned': { hash: `#/become/${aCode}`, fake: secureGuest },
  'become-lotw': { hash: '#/become', fake: secureGuest, after: (page) => then(() => click(page, 'Logbook of the World')) },
  'become-owner': { hash: '#/become', fake: secureGuest, after: (page) => then(() => click(page, 'Ask the owner')) },
  'become-operators': { hash: '#/become', fake: secureGuest, after: (page) => then(() => click(page, 'Three operators')) },
  'become-missing': {
    hash: '#/become',
    fake: secureGuest,
    after: (page) => {
      type(page, 'callsign', 'n0xyz')
      type(page, 'code', 'mzxw-6ytb')
      return then(() => click(page, 'Use the code'))
    },
  },
  'become-busy': { hash: `#/become/${aCode}`, fake: { ...secureGuest, certificates: { redeem: never } }, after: (page) => then(() => click(page, 'Use the code')) },
  'become-failed': {
    hash: `#/become/${aCode}`,
    fake: { ...secureGuest, certificates: { redeem: refuses('This code does not fit N0XYZ and that class, or was used before. Compare both with what the owner wrote.') } },
    after: (page) => then(() => click(page, 'Use the code')),
  },
  'become-plain': { hash: '#/become', fake: {} },
  'become-waiting': { hash: '#/become', fake: { ...secureGuest, request } },
  'become-refused': { hash: '#/become', fake: { ...secureGuest, request: { ...request, state: 'refused', reason: 'Please come by with your licence.' } } },
  'become-collecting': { hash: '#/become', fake: { ...secureGuest, request: { ...request, state: 'collecting', endorsedBy: [digest('one')] } } },
  'become-collected': {
    hash: '#/become',
    fake: { ...secureGuest, request: { ...request, state: 'collecting', endorsedBy: [digest('one'), digest('two'), digest('three')] } },
    after: (page) => then(() => click(page, 'Give up this request')),
  },
  'become-done': { hash: '#/become', fake: { ...k1abc, identity: { ...ownersKey, callsign: 'N0XYZ', vouchedBy: 'W1AW', method: 'in-person', backedUp: false } } },

  'endorse': { hash: `#/endorse/${aRequest}`, fake: k1abc },
  'endorse-given': { hash: `#/endorse/${aRequest}`, fake: k1abc, after: (page) => then(() => click(page, 'I met them')) },
  'endorse-guest': { hash: `#/endorse/${aRequest}`, fake: {} },
  'endorse-cut': { hash: '#/endorse/1.abc', fake: k1abc },
  'endorsed-failed': {
    hash: `#/endorsed/1.${digest('W1AW key')}.${'A'.repeat(86)}`,
    fake: { ...secureGuest, certificates: { addEndorsement: refuses('No request in this browser waits for endorsements. Open the app where the request was begun.') } },
  },
}

function putFile(page: HTMLElement): void {
  const input = page.querySelector<HTMLInputElement>('input[type=file]')
  if (input === null) throw new Error('nothing takes a file')
  const files = new DataTransfer()
  files.items.add(new File(['certificate'], 'root.pem'))
  input.files = files.files
}

function narrow(page: HTMLElement, status: string): void {
  const select = page.querySelector('select')
  if (select === null) throw new Error('nothing narrows the list')
  select.value = status
  select.dispatchEvent(new Event('change', { bubbles: true }))
}
