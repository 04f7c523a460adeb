/**
 * The part of the model that is about certificates: whom this server trusts and why, what its owner decides,
 * and how somebody becomes an operator.
 *
 * What changes by itself is a signal. Everything else is asked for: an action resolves to the answer, or rejects
 * with an error whose message is a sentence for the person.
 */
import type { ReadonlySignal } from '@preact/signals'

export interface Certificates {
  /** How many things wait for the owner's decision; 0 for everybody else. */
  readonly waiting: ReadonlySignal<number>
  /** Our own request for a certificate, while there is one. */
  readonly request: ReadonlySignal<RequestView | null>

  list(query: CertificateQuery): Promise<CertificatePage>
  get(fingerprint: string): Promise<CertificateView>
  explain(fingerprint: string): Promise<Explanation>
  /** The certificates that stand around one: above it, below it, and others of the same callsign. */
  around(fingerprint: string): Promise<Surroundings>
  /** Our own certificate as this server sees it. Rejects for guests. */
  mine(): Promise<Mine>

  /** Hands our certificate to this server, so that others can vouch for it. */
  show(): Promise<void>
  /** Logs in with another certificate of our own key. */
  adopt(fingerprint: string): Promise<void>
  /** Withdraws our key everywhere and for good, and forgets it here. */
  withdraw(): Promise<void>
  /** Makes a new key that takes our key's place, and logs in with it. */
  changeKey(): Promise<void>
  /** Vouches for the holder of a certificate, with our own key. */
  vouch(fingerprint: string, checked: Checked): Promise<void>
  /** Takes back our own word: ends a certificate that our key signed. */
  takeBack(fingerprint: string): Promise<Effect>

  preview(fingerprint: string, scope: Scope): Promise<Effect>
  blacklist(fingerprint: string, scope: Scope, reason: string): Promise<Effect>
  unblacklist(fingerprint: string, scope: Scope): Promise<Effect>
  blacklisted(): Promise<OwnBlacklist>
  /** Tells other servers the blacklist with its reasons from now on, or that it counts no more. */
  publishBlacklist(published: boolean): Promise<void>
  /** Whom other owners distrust. Nothing follows from it here. */
  advice(): Promise<AdviceList>
  /** Does not show a piece of advice again. */
  dismissAdvice(id: string): Promise<void>

  decisions(): Promise<Decisions>
  approve(id: string, checked: Checked): Promise<void>
  refuse(id: string, reason: string): Promise<void>
  acceptKey(callsign: string, keyId: string): Promise<Effect>
  chooseSuccessor(old: string, next: string): Promise<Effect>
  codes(): Promise<readonly OpenCode[]>
  makeCode(callsign: string, licenceClass: string): Promise<NewCode>
  removeCode(id: string): Promise<void>

  roots(): Promise<Roots>
  /** Reads a file of certificates without keeping anything. */
  readRoots(file: Blob, password: string): Promise<FoundInFile>
  addRoots(file: Blob, password: string, note: string, accept: readonly string[]): Promise<AddedRoots>
  removeRoot(fingerprint: string): Promise<Effect>

  log(after: string | null): Promise<LogPage>
  /** Fetches the whole log and checks it in this browser. */
  checkLog(): Promise<LogCheck>
  exportLog(): Promise<Blob>

  /** A code that the owner made for us. Resolves when we are an operator. */
  redeem(wish: Wish, code: string): Promise<void>
  /** A Logbook of the World certificate; its key is used once and not kept. */
  proveByLotw(wish: Wish, file: Blob, password: string): Promise<Outcome>
  /** Asks the owner, who decides. */
  askOwner(wish: Wish, note: string): Promise<void>
  /** Prepares a request that three operators can endorse. */
  collectEndorsements(wish: Wish): Promise<void>
  /** Takes what an operator gave back. */
  addEndorsement(endorsement: Endorsement): Promise<void>
  /** Hands the request in with the endorsements collected. */
  sendEndorsements(): Promise<Outcome>
  /** Gives up our request. */
  abandon(): Promise<void>
  /** Gives our word for a request: that we met its maker and saw the licence. */
  endorse(request: EndorsementRequest): Promise<Endorsement>
}

export type CertificateStatus = 'trusted' | 'untrusted' | 'blacklisted' | 'revoked' | 'suspended' | 'waiting'
export type VouchMethod = 'self-asserted' | 'in-person' | 'lotw' | 'endorsements' | 'document'
/** One certificate; a key with all its certificates; a key and everything below it. */
export type Scope = 'certificate' | 'key' | 'subtree'

export interface CertificateSummary {
  readonly fingerprint: string
  readonly keyId: string
  readonly callsign: string
  /** It is a server's, not a person's. */
  readonly server: boolean
  readonly licenceClass: string | null
  readonly status: CertificateStatus
  /** Who checked the licence, and how; null when the certificate says nothing of one. */
  readonly vouchedBy: string | null
  readonly method: VouchMethod | null
  /** The owner trusts its holder without anybody else's word. */
  readonly anchor: boolean
  /** How often the holder changed keys before this one. */
  readonly generation: number
}

export interface CertificateQuery {
  /** The beginning of a callsign, or nothing. */
  readonly callsign: string
  readonly status: CertificateStatus | null
  /** Where the page before ended. */
  readonly after: string | null
}

export interface CertificatePage {
  readonly certificates: readonly CertificateSummary[]
  /** Null on the last page. */
  readonly next: string | null
}

export interface CertificateView extends CertificateSummary {
  readonly pem: string
  /** When its maker's clock says it was made, milliseconds since 1970. */
  readonly madeAt: number
  /** Other trusted keys of the same callsign. */
  readonly contestedBy: readonly string[]
  /** The key that took this one's place. */
  readonly successor: string | null
  /** Operators who say that this certificate is dead, without the right to decide it. */
  readonly advice: readonly { readonly keyId: string; readonly callsign: string | null }[]
  /** Our own key signed it. */
  readonly byUs: boolean
}

export interface Step {
  readonly fingerprint: string
  readonly callsign: string
  readonly server: boolean
  readonly vouchedBy: string | null
  readonly method: VouchMethod | null
  readonly anchor: boolean
}

/** A way up to a root, each signed by the next; of a very long one the middle is left out. */
export interface Way {
  readonly steps: readonly Step[]
  readonly leftOut: number
}

export interface Explanation {
  readonly status: CertificateStatus
  /** Why, in the server's words. */
  readonly sentence: string
  /** From the certificate up to a root, the shortest first. */
  readonly paths: readonly Way[]
  /** Where the ways up end when none leads to a root of this server. */
  readonly roots: readonly Step[]
  readonly blocked: readonly { readonly step: Step; readonly cause: string | null }[]
  /** Other certificates of the same key that are trusted. */
  readonly trustedBy: readonly string[]
}

/** Who vouches for whom: `from` signed for `to`, both fingerprints. */
export interface Surroundings {
  readonly centre: string
  readonly people: readonly CertificateSummary[]
  readonly words: readonly { readonly from: string; readonly to: string; readonly method: VouchMethod | null }[]
  /** There are more that are not drawn. */
  readonly more: boolean
}

export interface Mine {
  /** Null when this server does not hold it. */
  readonly held: CertificateView | null
  readonly explanation: Explanation | null
  /** Other certificates of our key that this server trusts. */
  readonly others: readonly CertificateSummary[]
  readonly pem: string
}

/** How a licence was checked, and its class as the licence words it, or nothing. */
export interface Checked {
  readonly method: 'in-person' | 'document'
  readonly licenceClass: string
}

/** What a decision changes, or would. Of many, `lose` and `gain` name only the first. */
export interface Effect {
  readonly lose: readonly Affected[]
  readonly gain: readonly Affected[]
  readonly loseCount: number
  readonly gainCount: number
  readonly keysLost: number
  readonly keysGained: number
}

export interface Affected {
  readonly fingerprint: string
  readonly callsign: string
}

export interface Blacklisted {
  readonly scope: Scope
  readonly fingerprint: string | null
  readonly keyId: string | null
  readonly callsign: string | null
  readonly reason: string
}

/** What the owner decided against. */
export interface OwnBlacklist {
  readonly entries: readonly Blacklisted[]
  /** Other servers are told. */
  readonly published: boolean
}

export interface AdviceList {
  /** Of verified servers first, and first about certificates that are known here. */
  readonly advice: readonly Advice[]
  /** How many more words there are, which are not kept. */
  readonly leftOut: number
}

/** One owner’s word about somebody. */
export interface Advice {
  readonly id: string
  /** `proven`: the server proved that it is that callsign’s. `verified`: and somebody trusted here vouches for it. */
  readonly by: { readonly callsign: string | null; readonly verified: boolean; readonly proven: boolean }
  readonly scope: Scope
  /** A certificate that it is about; null when none is known here. */
  readonly fingerprint: string | null
  /** The key or the identity that is meant, in hex. */
  readonly target: string | null
  readonly callsign: string | null
  readonly reason: string
  /** A certificate that it is about is trusted here. */
  readonly trusted: boolean
  /** It is about the owner’s key or this server’s. */
  readonly own: boolean
}

export interface Decisions {
  readonly requests: readonly Applicant[]
  readonly contested: readonly { readonly callsign: string; readonly keys: readonly Candidate[] }[]
  readonly disputes: readonly { readonly old: string; readonly callsign: string | null; readonly successors: readonly Candidate[] }[]
  readonly awaiting: readonly { readonly callsign: string; readonly keyId: string; readonly fingerprint: string }[]
}

export interface Candidate {
  readonly keyId: string
  readonly fingerprint: string | null
}

/** Somebody who asks for a certificate. */
export interface Applicant {
  readonly id: string
  readonly callsign: string
  readonly licenceClass: string | null
  readonly keyId: string
  readonly method: VouchMethod
  readonly note: string | null
  /** Why it waits for the owner, as a sentence. */
  readonly why: string
  /** Milliseconds since 1970, by the server's clock. */
  readonly askedAt: number
}

export interface OpenCode {
  readonly id: string
  readonly callsign: string
  readonly licenceClass: string | null
  readonly madeAt: number
}

export interface NewCode {
  readonly id: string
  readonly callsign: string
  readonly licenceClass: string | null
  /** 16 letters and digits; shown once. */
  readonly code: string
}

export interface Roots {
  readonly anchors: readonly Root[]
  /** Prove licences, and vouch for nobody. */
  readonly licenceRoots: readonly Root[]
}

export interface Root {
  readonly fingerprint: string
  /** A callsign, or for a licence root the name it gives itself. */
  readonly name: string
  readonly note: string
  /** The owner's own; it cannot be removed. */
  readonly own: boolean
}

export interface FoundInFile {
  readonly found: readonly FoundRoot[]
  readonly unread: readonly Unread[]
}

/** A certificate of a file that cannot be a root here. */
export interface Unread {
  /** Its place in the file, from 1, or the name it gives itself. */
  readonly which: string
  readonly why: string
}

export interface AddedRoots {
  readonly added: number
  /** Fingerprints of stations whose signer nobody here knows. */
  readonly notAdded: readonly string[]
  readonly effect: Effect
}

export interface FoundRoot {
  readonly fingerprint: string
  readonly name: string
  readonly kind: 'station' | 'licence-root'
  readonly selfSigned: boolean
}

export interface LogPage {
  readonly entries: readonly LogEntry[]
  readonly next: string | null
  /** Entries in all. */
  readonly size: number
}

export interface LogEntry {
  readonly index: number
  readonly at: number
  readonly callsign: string
  readonly licenceClass: string | null
  readonly method: VouchMethod
  readonly fingerprint: string
}

/** What the check of the whole log found. */
export type LogCheck =
  | { readonly ok: true; readonly size: number; readonly head: string }
  | { readonly ok: false; readonly problem: string }

/** Who wants a certificate: a callsign, and a class or nothing. */
export interface Wish {
  readonly callsign: string
  readonly licenceClass: string
}

/** `issued`: we are an operator now. `waits`: the owner decides. */
export type Outcome = 'issued' | 'waits'

export interface RequestView {
  readonly callsign: string
  readonly licenceClass: string | null
  readonly keyId: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly state: 'collecting' | 'waiting' | 'refused'
  /** For `refused`: why, in the owner's words. For `waiting`: what the server says it waits for. */
  readonly reason: string | null
  /** For `collecting`: the keys that endorsed it. */
  readonly endorsedBy: readonly string[]
}

/** What three operators endorse. */
export interface EndorsementRequest {
  readonly keyId: string
  readonly callsign: string
  readonly licenceClass: string | null
}

/** An operator's word, to be handed back to whoever asked for it. */
export interface Endorsement {
  readonly keyId: string
  readonly signature: string
}
