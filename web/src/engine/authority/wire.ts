/**
 * The server's answers about certificates (docs/protocol/http.md), as far as the app uses them.
 */

export type Status = 'trusted' | 'untrusted' | 'blacklisted' | 'revoked' | 'suspended' | 'waiting'
export type Method = 'self-asserted' | 'in-person' | 'lotw' | 'endorsements' | 'document'
export type Scope = 'certificate' | 'key' | 'subtree'

export interface Summary {
  fingerprint: string
  identity?: string | null
  keyId: string
  callsign: string
  server: boolean
  licenseClass?: string | null
  trustLevel: 'root' | 'intermediate' | 'peer'
  issuer?: string | null
  status: Status
  vouchedBy?: string | null
  method?: Method | null
  anchor: boolean
  generation: number
}

export interface Detail extends Summary {
  certificate: string
  chain: string[]
  /** Seconds since 1970. */
  notBefore: number
  contestedBy: string[]
  successor?: string | null
  advice: { keyId: string; callsign?: string | null }[]
}

export interface Step {
  fingerprint: string
  callsign: string
  keyId: string
  server: boolean
  vouchedBy?: string | null
  method?: Method | null
  anchor: boolean
}

export interface Explained {
  status: Status
  sentence: string
  paths: { steps: Step[]; leftOut: number }[]
  roots: Step[]
  blocked: { step: Step; cause?: string | null }[]
  trustedBy: string[]
}

export interface Effect {
  lose: { fingerprint: string; callsign: string; keyId: string }[]
  gain: { fingerprint: string; callsign: string; keyId: string }[]
  loseCount: number
  gainCount: number
  keysLost: number
  keysGained: number
}

export interface Entries {
  entries: { scope: Scope; fingerprint?: string | null; keyId?: string | null; callsign?: string | null; reason: string }[]
}

export interface Anchors {
  anchors: { fingerprint: string; callsign: string; keyId: string; note: string; own: boolean }[]
  licenseRoots: { fingerprint: string; subject: string; note: string }[]
}

export interface Found {
  found: { fingerprint: string; callsign?: string | null; subject?: string | null; kind: 'station' | 'license-root'; selfSigned: boolean }[]
}

export interface Added {
  added: unknown[]
  effect: Effect
}

export interface Tombstone {
  target: string
  signer: string
  signature: string
}

export interface Rekey {
  old: string
  new: string
  callsign: string
  generation: number
  byOld: string
  byNew: string
}

export interface Request {
  id: string
  callsign: string
  licenseClass?: string | null
  keyId: string
  method: Method
  note?: string | null
  why: string
  createdAt: string | number
  state: 'waiting' | 'issued' | 'refused'
}

export interface Decisions {
  requests: Request[]
  contested: { callsign: string; keys: { keyId: string; fingerprint: string }[] }[]
  disputes: { old: string; callsign?: string | null; successors: { keyId: string; fingerprint?: string | null }[] }[]
  awaiting: { callsign: string; keyId: string; fingerprint: string }[]
}

export interface Issued {
  certificate: string
  chain: string[]
  proof?: string | null
}

export interface Waits {
  request: { id: string }
}

export interface RequestState {
  id: string
  state: 'waiting' | 'issued' | 'refused'
  reason?: string | null
  certificate?: string | null
  chain?: string[] | null
}

export interface Codes {
  codes: { id: string; callsign: string; licenseClass?: string | null; createdAt: string | number }[]
}

export interface Code {
  id: string
  code: string
  callsign: string
  licenseClass?: string | null
}

export interface Bundle {
  server: string
  timestamp: number
  certificates: string[]
  blacklisted: string[]
  tombstones: Tombstone[]
  rekeys: Rekey[]
  signature: string
}

export interface Entry {
  index: number
  /** Seconds since 1970. */
  time: number
  certificate: string
  identity?: string | null
  holder: string
  callsign: string
  licenseClass?: string | null
  method: Method
  evidence?: string | null
  previous: string
}

export interface Log {
  entries: Entry[]
  checkpoint: { server: string; size: number; head: string; signature: string }
}
