/**
 * What the pages see of the engine, and the only thing they see.
 *
 * State is signals, changed by the engine alone; actions are functions that pages call. Pages never
 * touch sockets, keys or peer connections; the engine never touches the document. `engine/` implements
 * this interface, `ui/` draws it.
 */
import type { ReadonlySignal } from '@preact/signals'
import type { Certificates, VouchMethod } from './model-certificates'
import type { Reach } from './model-reach'

/** Everything the pages can show and do. */
export interface Model {
  /** The server this page came from. */
  readonly server: ReadonlySignal<ServerView>
  /** Our association with the server. */
  readonly session: ReadonlySignal<SessionView>
  /** The operator's key in this browser, or null: then we are a guest. */
  readonly identity: ReadonlySignal<IdentityView | null>
  /** Who else is in our net, in the order they came. */
  readonly people: ReadonlySignal<readonly Person[]>
  /** Open and past conversations of this page's life, by peer id. */
  readonly conversations: ReadonlySignal<ReadonlyMap<string, ConversationView>>
  /** Whom this server trusts and why, and how somebody becomes an operator. */
  readonly certificates: Certificates
  /** The networks this server is reached by, and what is in the way on them. */
  readonly reach: Reach

  /** Claims an unclaimed server for a new or an imported key. Resolves when it is ours. */
  claim(request: ClaimRequest): Promise<ClaimResult>
  /** Makes a password-protected .p12 of a key just made or imported; null once it can no longer leave the browser. */
  exportKey(password: string): Promise<Blob | null>
  /** Imports an operator's key from a .p12 file and logs in with it. */
  importKey(file: Blob, password: string): Promise<IdentityView>
  /** Forgets the key in this browser. The conversations end. */
  forgetKey(): Promise<void>
  /** Accepts the server that the session shows as `unknown-server`, and logs in to it. */
  trustServer(): Promise<void>
  /** The owner's decision whether people on this network may join. Rejects with a sentence. */
  setOpenToNetwork(open: boolean): Promise<void>
  /** The owner's decision whether guests may call each other. Rejects with a sentence. */
  setGuestCalls(allowed: boolean): Promise<void>
  /** The best of the server's secure addresses that this browser trusts now; null while it trusts none. Never rejects. */
  probeSecure(): Promise<string | null>
  /** Asks again at once instead of waiting for the next attempt. */
  reconnect(): void
  /** Moves to another net. */
  joinNet(net: string): void

  /** Calls somebody, or brings the running call back. Guests call nobody, or guests only (`session`). */
  call(peerId: string): void
  /** Ends a call. */
  hangUp(peerId: string): void
  /** Sends a text; it shows as `sending` until the other side has it. */
  sendText(peerId: string, text: string): void
  /** Offers files. */
  sendFiles(peerId: string, files: readonly File[]): void
  /** Accepts an offered file. Must be called from a click: it may open the browser's save dialog. */
  acceptFile(peerId: string, transferId: string): Promise<void>
  /** Refuses an offered file or stops a running transfer, either way round. */
  cancelFile(peerId: string, transferId: string): void
  /** The conversation has been looked at: its unread count becomes zero. */
  markRead(peerId: string): void
}

/** What the server says of itself. */
export interface ServerView {
  /** `unknown` until the first answer. */
  readonly state: 'unknown' | 'unclaimed' | 'claimed' | 'active'
  readonly owner: string | null
  readonly ownerName: string | null
  readonly ownerGrid: string | null
  readonly version: string
  /** The server certificate's fingerprint, once claimed. */
  readonly fingerprint: string | null
  /** URLs by which this network reaches the server, the best first. */
  readonly addresses: readonly string[]
  /** This page runs on the server's own machine. */
  readonly local: boolean
  /** Keys and signatures are possible here (`window.isSecureContext`). */
  readonly secure: boolean
  /** The way to a page where they are, while the server offers one. */
  readonly secureAddress: SecureAddress | null
  /** Our way to the server crosses amateur frequencies, where nothing may be encrypted: why, as the end of a sentence. Null where it does not. */
  readonly radio: string | null
  /** The owner lets guests call other guests, on networks where that may be encrypted. */
  readonly guestCalls: boolean
}

/** Where the server speaks https, and the certificate by which a device comes to trust it. */
export interface SecureAddress {
  /** SHA-256 of the root certificate's DER, hex. */
  readonly root: string
  /** The stable name first. */
  readonly urls: readonly string[]
  /** Networks of amateur radio's 44net that the root vouches for, beside private networks. */
  readonly amateurNetworks: readonly string[]
}

export interface SessionView {
  readonly phase: 'connecting' | 'connected' | 'waiting' | 'unknown-server' | 'refused' | 'stopped'
  /** When this phase began, milliseconds since 1970 by this device's clock. */
  readonly since: number
  /** What the server lets us do. */
  readonly role: 'licensed' | 'unlicensed'
  /** The owner lets guests call other guests, and our way to the server allows it. */
  readonly guestCalls: boolean
  readonly clientId: string | null
  readonly net: string
  /** We hold the key of the operator who owns this server. */
  readonly isOwner: boolean
  /** For `waiting`: when the next attempt is made, milliseconds since 1970. */
  readonly retryAt: number | null
  /** For `waiting`, `refused` and `stopped`, and after the server took our role: one sentence for the person. */
  readonly reason: string | null
  /** For `unknown-server`: what to compare before trusting. */
  readonly unknownServer: { readonly owner: string; readonly fingerprint: string } | null
}

export interface IdentityView {
  readonly callsign: string
  readonly keyId: string
  readonly fingerprint: string
  readonly licenceClass: string | null
  readonly vouchedBy: string
  readonly method: VouchMethod
  /** The key can still be written to a .p12 (only in the page's life that made or imported it). */
  readonly exportable: boolean
  /** A .p12 was written since the key was made or imported. */
  readonly backedUp: boolean
}

export interface Person {
  readonly id: string
  /** `GUEST` for guests. */
  readonly callsign: string
  /** A name to show: the callsign, or `Guest 3F2A`. */
  readonly label: string
  /** As the server judges. */
  readonly licensed: boolean
  /** As the server judges; what this browser has checked itself is a conversation's `proof`. */
  readonly verified: boolean
  /** The key that they proved to the server; null for guests. */
  readonly keyId: string | null
  readonly licenceClass: string | null
  readonly isOwner: boolean
  /** Whose server they are at, if that is another than ours. */
  readonly at: string | null
  /** When they appeared here. */
  readonly since: number
  /** Appeared within the last half minute. */
  readonly fresh: boolean
}

export interface ClaimRequest {
  readonly callsign: string
  readonly name: string
  readonly grid: string
  readonly licenceClass: string
  readonly openToNetwork: boolean
  /** `new` makes a key; otherwise the key comes from the file. */
  readonly key: 'new' | { readonly file: Blob; readonly password: string }
}

/** `field` names the input to point at, where there is one. */
export type ClaimResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly field: 'callsign' | 'grid' | 'licenceClass' | 'name' | 'key' | null; readonly problem: string }

export type CallPhase =
  /** They were called and have not answered yet, or the browsers are looking for a way. */
  | 'connecting'
  | 'connected'
  /** The way was lost; the browsers are looking for another. */
  | 'interrupted'
  | 'failed'
  | 'ended'

/** Who is at the other end of a call, as this browser has checked itself. */
export type Proof =
  /** They signed the call, and their certificate leads to one that this browser believes. */
  | {
      readonly kind: 'proven'
      /** Somebody who needs nobody's word here is the owner of this server, or the root of our own certificate. */
      readonly voucher: Voucher | 'owner' | 'root'
      /** From their certificate up to the one that this browser believes. */
      readonly path: readonly PathStep[]
    }
  /** They signed the call with the key of this certificate, which counts for nothing in this browser. */
  | { readonly kind: 'unproven'; readonly why: 'nobody-known' | 'withdrawn' | 'distrusted' | 'disputed'; readonly certificate: PathStep }
  /** They have no key to sign with. */
  | { readonly kind: 'no-key' }
  /** This page came over plain http: it can check nothing. */
  | { readonly kind: 'plain-page' }

export interface Voucher {
  readonly callsign: string
  /** It was that operator's server that vouched, on their behalf. */
  readonly server: boolean
  readonly method: IdentityView['method']
}

/** A certificate on the way from somebody to whom this browser believes. */
export interface PathStep {
  readonly callsign: string
  readonly server: boolean
  readonly fingerprint: string
}

/** Something that happened in a call, without ending it. */
export interface CallNotice {
  readonly at: number
  /** What happened, and one thing to do. */
  readonly words: string
}

export interface ConversationView {
  readonly peer: Person
  /** The peer is in the list of people now. */
  readonly present: boolean
  readonly phase: CallPhase
  readonly since: number
  /** For `failed` and `ended`: what happened, and one thing to do. */
  readonly reason: string | null
  /** How the two browsers reach each other, once connected: `direct, 192.168.1.23`. */
  readonly path: string | null
  /** Who they are; null until the first call is connected. */
  readonly proof: Proof | null
  /** What was refused in the call of the moment; null while nothing was. */
  readonly notice: CallNotice | null
  readonly unread: number
  readonly entries: readonly Entry[]
}

export type Entry = TextEntry | FileEntry

export interface TextEntry {
  readonly kind: 'text'
  readonly id: string
  readonly mine: boolean
  readonly at: number
  readonly text: string
  readonly state: 'sending' | 'delivered' | 'failed'
}

export interface FileEntry {
  readonly kind: 'file'
  readonly id: string
  readonly mine: boolean
  readonly at: number
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly mediaType: string
  /** Bytes moved so far. */
  readonly moved: number
  /** Bytes a second over the last seconds. */
  readonly speed: number
  /** Seconds left at that speed, or null while unknown. */
  readonly secondsLeft: number | null
  readonly state:
    /** Mine: they have not decided. Theirs: we have not. */
    | 'offered'
    | 'moving'
    /** All bytes are here; the hash is being compared. */
    | 'checking'
    | 'complete'
    | 'refused'
    | 'cancelled'
    | 'failed'
  readonly reason: string | null
  /** SHA-256 as both sides computed it, once complete. */
  readonly sha256: string | null
  /** A received file that is held in memory: where to save it from. Null when it was streamed to disk. */
  readonly url: string | null
  /** Received straight into a file the person chose. */
  readonly savedToDisk: boolean
  /** A file of this size cannot be received here, and why (set while `offered` and theirs). */
  readonly tooLarge: string | null
}
