/** Certificates without an engine: a small net around W1AW, and actions that only tell that they were asked for. */
import { signal } from '@preact/signals'
import type {
  CertificatePage,
  Certificates,
  CertificateSummary,
  CertificateView,
  Decisions,
  Effect,
  Explanation,
  LogEntry,
  RequestView,
  Step,
  Surroundings,
} from '../../model-certificates'

/** A fingerprint for a word, always the same. */
export function digest(word: string): string {
  let state = 7
  return Array.from({ length: 64 }, (_, index) => {
    state = (state * 31 + (word.charCodeAt(index % word.length) || 1) + index) % 65521
    return (state % 16).toString(16)
  }).join('')
}

export function certificate(callsign: string, more: Partial<CertificateSummary> = {}): CertificateSummary {
  return {
    fingerprint: digest(`${callsign} certificate ${more.server ? 'server' : ''}`),
    keyId: digest(`${callsign} key ${more.server ? 'server' : ''}`),
    callsign,
    server: false,
    licenceClass: null,
    status: 'trusted',
    vouchedBy: more.server ? null : 'W1AW',
    method: more.server ? null : 'in-person',
    anchor: false,
    generation: 0,
    ...more,
  }
}

export const w1awRoot = certificate('W1AW', { anchor: true, method: 'self-asserted', licenceClass: 'Amateur Extra' })
export const w1awServer = certificate('W1AW', { server: true })
export const k1abcHeld = certificate('K1ABC', { licenceClass: 'General' })
const n0xyz = certificate('N0XYZ', { vouchedBy: 'K1ABC', method: 'document' })

export const net: readonly CertificateSummary[] = [
  certificate('2E0ABC', { status: 'untrusted', vouchedBy: '2E0ABC', method: 'self-asserted', licenceClass: 'Intermediate' }),
  certificate('DL0OO', { method: 'lotw', licenceClass: 'Class A' }),
  certificate('F/OE1XYZ/P', { status: 'waiting', vouchedBy: 'OE1XYZ' }),
  certificate('JA1QRZ', { status: 'revoked' }),
  k1abcHeld,
  certificate('KI7IOI', { status: 'suspended', method: 'endorsements' }),
  n0xyz,
  certificate('VK9XYZ', { status: 'blacklisted', licenceClass: 'Advanced' }),
  w1awRoot,
  w1awServer,
]

export function view(summary: CertificateSummary, more: Partial<CertificateView> = {}): CertificateView {
  return {
    ...summary,
    pem: '-----BEGIN CERTIFICATE-----\n',
    madeAt: Date.UTC(2026, 4, 9, 7, 29),
    contestedBy: [],
    successor: null,
    advice: [],
    byUs: false,
    ...more,
  }
}

export function step(one: CertificateSummary): Step {
  const { fingerprint, callsign, server, vouchedBy, method, anchor } = one
  return { fingerprint, callsign, server, vouchedBy, method, anchor }
}

const sentences: Record<CertificateSummary['status'], (one: CertificateSummary) => string> = {
  trusted: ({ callsign, vouchedBy }) => `${callsign}’s identity is vouched for by ${vouchedBy ?? 'W1AW'}, checked in person.`,
  untrusted: ({ callsign }) => `Nobody whom this server trusts vouches for ${callsign}.`,
  blacklisted: () => 'The owner of this server blacklisted its holder’s key.',
  revoked: () => 'Its holder withdrew the key.',
  suspended: () => 'Two keys claim to be the same key’s successor, and the owner has not decided.',
  waiting: () => 'Its issuer is not known on this server.',
}

export function explained(one: CertificateSummary): Explanation {
  const trusted = one.status === 'trusted'
  const above = one.anchor ? [] : one.server ? [w1awRoot] : one.vouchedBy === 'K1ABC' ? [k1abcHeld, w1awServer, w1awRoot] : [w1awServer, w1awRoot]
  return {
    status: one.status,
    sentence: sentences[one.status](one),
    paths: trusted ? [{ steps: [one, ...above].map(step), leftOut: 0 }] : [],
    roots: one.status === 'untrusted' ? [step(one)] : [],
    blocked: [],
    trustedBy: [],
  }
}

export const around: Surroundings = {
  centre: k1abcHeld.fingerprint,
  people: [k1abcHeld, w1awServer, w1awRoot, n0xyz, certificate('KD9QRP', { vouchedBy: 'K1ABC' })],
  words: [
    { from: w1awRoot.fingerprint, to: w1awServer.fingerprint, method: null },
    { from: w1awServer.fingerprint, to: k1abcHeld.fingerprint, method: 'in-person' },
    { from: w1awRoot.fingerprint, to: k1abcHeld.fingerprint, method: 'in-person' },
    { from: k1abcHeld.fingerprint, to: n0xyz.fingerprint, method: 'document' },
    { from: k1abcHeld.fingerprint, to: certificate('KD9QRP').fingerprint, method: 'in-person' },
  ],
  more: false,
}

export const nothing: Effect = { lose: [], gain: [], loseCount: 0, gainCount: 0, keysLost: 0, keysGained: 0 }

export function losing(...callsigns: readonly string[]): Effect {
  const lose = callsigns.map((callsign) => ({ callsign, fingerprint: digest(callsign) }))
  return { ...nothing, lose, loseCount: lose.length, keysLost: lose.length }
}

export const noDecisions: Decisions = { requests: [], contested: [], disputes: [], awaiting: [] }

export const request: RequestView = {
  callsign: 'N0XYZ',
  licenceClass: 'General',
  keyId: digest('N0XYZ request'),
  since: Date.now() - 12 * 60_000,
  state: 'waiting',
  reason: null,
  endorsedBy: [],
}

export const entries: readonly LogEntry[] = (['K1ABC', 'DL0OO', 'JA1QRZ', 'N0XYZ'] as const).map((callsign, index) => ({
  index,
  at: Date.UTC(2026, 4, 9 + index, 14, 2),
  callsign,
  licenceClass: index % 2 === 0 ? 'General' : null,
  method: (['in-person', 'lotw', 'endorsements', 'document'] as const)[index] ?? 'document',
  fingerprint: digest(`${callsign} certificate `),
}))

/** `tell` hears of every action. */
export function fakeCertificates(
  more: Partial<Certificates>,
  requested: RequestView | null,
  waiting: number,
  tell: (act: string, ...words: readonly unknown[]) => void,
): Certificates {
  const find = (fingerprint: string) => net.find((one) => one.fingerprint === fingerprint) ?? k1abcHeld
  const told = (act: string) => async (...words: readonly unknown[]) => tell(act, ...words)
  const asked = async (): Promise<CertificatePage> => ({ certificates: net, next: null })
  return {
    waiting: signal(waiting),
    request: signal(requested),
    list: asked,
    get: async (fingerprint) => view(find(fingerprint)),
    explain: async (fingerprint) => explained(find(fingerprint)),
    around: async (fingerprint) => ({ ...around, centre: fingerprint }),
    mine: async () => ({ held: view(w1awRoot), explanation: explained(w1awRoot), others: [], pem: '' }),
    show: told('show'),
    adopt: told('adopt'),
    withdraw: told('withdraw'),
    changeKey: told('changeKey'),
    vouch: told('vouch'),
    takeBack: async (fingerprint) => {
      tell('takeBack', fingerprint)
      return nothing
    },
    preview: async (_fingerprint, scope) => (scope === 'certificate' ? losing('K1ABC') : losing('K1ABC', 'N0XYZ', 'KD9QRP')),
    blacklist: async (...words) => {
      tell('blacklist', ...words)
      return losing('K1ABC')
    },
    unblacklist: async (...words) => {
      tell('unblacklist', ...words)
      return { ...nothing, gain: [{ callsign: 'K1ABC', fingerprint: digest('x') }], gainCount: 1, keysGained: 1 }
    },
    blacklisted: async () => ({ entries: [], published: false }),
    publishBlacklist: told('publishBlacklist'),
    advice: async () => ({ advice: [], leftOut: 0 }),
    dismissAdvice: told('dismissAdvice'),
    decisions: async () => noDecisions,
    approve: told('approve'),
    refuse: told('refuse'),
    acceptKey: async (...words) => {
      tell('acceptKey', ...words)
      return nothing
    },
    chooseSuccessor: async (...words) => {
      tell('chooseSuccessor', ...words)
      return nothing
    },
    codes: async () => [],
    makeCode: async (callsign, licenceClass) => {
      tell('makeCode', callsign, licenceClass)
      return { id: 'a', callsign: callsign.toUpperCase(), licenceClass: licenceClass || null, code: 'MZXW-6YTB-OI7A-2K4Q' }
    },
    removeCode: told('removeCode'),
    roots: async () => ({
      anchors: [
        { fingerprint: w1awRoot.fingerprint, name: 'W1AW', note: '', own: true },
        { fingerprint: digest('DL0OO root'), name: 'DL0OO', note: 'The club in Munich. Compared by phone with DL0OO on 9 May.', own: false },
      ],
      licenceRoots: [{ fingerprint: digest('lotw'), name: 'CN=LoTW Root CA, O=American Radio Relay League', note: 'From my own TQSL file.', own: false }],
    }),
    readRoots: async () => ({
      found: [
        { fingerprint: digest('found one'), name: 'OE1XYZ', kind: 'station', selfSigned: true },
        { fingerprint: digest('found two'), name: 'CN=Some Licence Root', kind: 'licence-root', selfSigned: false },
      ],
      unread: [{ which: '3', why: 'it is no station’s: the certificate’s key is not a P-256 key; and no licence root: the certificate is not of X.509 version 3' }],
    }),
    addRoots: async (_file, _password, note, accept) => {
      tell('addRoots', note, ...accept)
      const gain = [{ callsign: 'OE1XYZ', fingerprint: digest('y') }, { callsign: 'OE3ABC', fingerprint: digest('z') }]
      return { added: accept.length, notAdded: [digest('orphan')], effect: { ...nothing, gainCount: 2, keysGained: 2, gain } }
    },
    removeRoot: async (fingerprint) => {
      tell('removeRoot', fingerprint)
      return losing('DL0OO')
    },
    log: async () => ({ entries, next: null, size: entries.length }),
    checkLog: async () => ({ ok: true, size: entries.length, head: digest('head') }),
    exportLog: async () => new Blob(['log']),
    redeem: told('redeem'),
    proveByLotw: async (wish) => {
      tell('proveByLotw', wish)
      return 'issued'
    },
    askOwner: told('askOwner'),
    collectEndorsements: told('collectEndorsements'),
    addEndorsement: told('addEndorsement'),
    sendEndorsements: async () => {
      tell('sendEndorsements')
      return 'issued'
    },
    abandon: told('abandon'),
    endorse: async (wanted) => {
      tell('endorse', wanted.callsign)
      return { keyId: digest('W1AW key'), signature: 'A'.repeat(86) }
    },
    ...more,
  }
}
