/**
 * The part of the model that is about ways: over which networks this server is reached, whether there is internet
 * beyond them, and what is in the way of a call.
 *
 * Actions resolve to the answer, or reject with an error whose message is a sentence for the person.
 */
import type { ReadonlySignal } from '@preact/signals'

export interface Reach {
  /** Whether the server sees internet beyond this network; null until the first answer. */
  readonly internet: ReadonlySignal<InternetView | null>
  /** The server that the session is with while the one of this page is gone; null at the page's own. */
  readonly refuge: ReadonlySignal<Refuge | null>
  /** Keeps `internet` current until the returned function is called. */
  watchInternet(): () => void

  /** What the server's networks count as. For the owner. */
  zones(): Promise<ZonesView>
  /** Replaces the owner's own rules. Connections that are no longer allowed end at once. */
  setZones(rules: readonly ZoneRule[]): Promise<ZonesView>

  /** Looks what is in the way of calls, here and as the server sees it; `call`: because one has failed. Takes some seconds. Never rejects. */
  diagnose(after: 'call' | null): Promise<readonly Check[]>
  /** What the owner enters at an AREDN node. */
  arednEntry(): Promise<ArednEntry>
  /** Reads the servers in an AREDN node's list. For the owner. */
  importFromNode(node: string): Promise<readonly ListedServer[]>

  /** Where servers are looked for and what was found, as it comes; null before the first `find`. */
  readonly finding: ReadonlySignal<readonly FindStep[] | null>
  /** Looks for servers everywhere, which takes at most five seconds. */
  find(): void
  /** The net that the connected server is in, as it sees it; null before the first answer. */
  readonly net: ReadonlySignal<NetView | null>
  /** Keeps `net` current until the returned function is called. */
  watchNet(): () => void
  /** Has the server dial another until it is taken off the list. For the owner. */
  nameServer(endpoint: string): Promise<void>
  /** Takes a server that the owner named off the list. */
  unnameServer(id: string): Promise<void>
  /** Trusts the root of a server, whose fingerprint the owner compared, and whomever it vouches for. */
  acceptServer(id: string, fingerprint: string): Promise<void>

  /** Reads a scanned code, a pasted message or a typed address; null when it leads to no server. */
  readInvitation(text: string): Invitation | null

  /** Asks the person for the microphone, once and for its side effect: Chromium then finds ways without a default route. Resolves to whether they agreed. */
  askForMicrophone(): Promise<boolean>
}

/** Another server, as a place to stay until the page's own is back. */
export interface Refuge {
  /** `http://192.168.1.7:8080`. */
  readonly endpoint: string
  /** Whose server the page came from, where that is known. */
  readonly home: string | null
}

/** A service and a host alias at an AREDN node. */
export interface ArednEntry {
  readonly name: string
  readonly host: string
  /** What the alias stands for; null while the server has no address. */
  readonly address: string | null
  readonly port: number
  /** The same as nodes keep it: `url|tcp|name`. */
  readonly line: string
}

/** A server in a node's list. Nothing of it is proven. */
export interface ListedServer {
  /** Null when it does not answer. */
  readonly callsign: string | null
  readonly url: string
  readonly address: string
}

/** One place where servers are looked for: those the connected server hears, those this browser heard of before, this device. */
export interface FindStep {
  readonly where: 'heard' | 'known' | 'here'
  /** `failed`: it could not be looked there. */
  readonly state: 'looking' | 'done' | 'failed'
  readonly servers: readonly FoundServer[]
}

/** A server. What it says of itself is not proven to this browser. */
export interface FoundServer {
  readonly callsign: string | null
  /** To be opened. */
  readonly url: string
  /** To be shown: `192.168.1.7:8080`. */
  readonly address: string
  /** `unasked`: the browser does not let this page ask there, or there are too many. */
  readonly state: 'asked' | 'answers' | 'silent' | 'unasked'
  /** Seconds since it was heard of, where that is known. */
  readonly age: number | null
  /** How the server that tells of it found it: it announces itself, the owner had it read from a list, or they are linked; null where no server tells. */
  readonly found: 'mdns' | 'manual' | 'peer' | null
  /** The server that tells of it says that it has proved who it is. */
  readonly verified: boolean
}

/** Servers that are one net: with links among them, and ways through them. */
export interface NetView {
  readonly servers: readonly NetServer[]
  /** Another server runs with this one's key. */
  readonly copyRuns: boolean
  /** Servers that show different people different histories of what they issued. */
  readonly splits: readonly SplitLog[]
}

/** Another server, as the connected one sees it. */
export interface NetServer {
  /** Its certificate's fingerprint, once it is known who is there. */
  readonly id: string
  readonly callsign: string | null
  /** Empty while it does not say. */
  readonly endpoint: string
  /** `unknown`: it is there, and nobody trusted vouches for it. `searching`: nobody answered yet. */
  readonly state: 'linked' | 'reachable' | 'unknown' | 'blacklisted' | 'gone' | 'searching'
  /** It knows only the plain messages: nothing of it is proved, its callsign neither. */
  readonly plain: boolean
  /** Its link crosses amateur frequencies. */
  readonly radio: boolean
  /** Those on the way there, in order; empty with a link of its own. Null for one without a known callsign. */
  readonly through: readonly (string | null)[]
  /** Whom it has links with, this server not included. */
  readonly links: readonly string[]
  /** Why there is no link, as a sentence, where that is known. */
  readonly reason: string | null
  /** The end of its chain, for the owner to compare. */
  readonly root: { readonly fingerprint: string; readonly callsign: string } | null
  /** The owner named or imported it. */
  readonly named: boolean
}

/** A log of what a server issued, with two histories. */
export interface SplitLog {
  readonly keyId: string
  readonly callsign: string | null
  /** Entries that the two histories have. */
  readonly entries: number
  /** How they end: both signed by that key. */
  readonly heads: readonly [string, string]
}

/** What leads to a server. */
export interface Invitation {
  /** To be opened, with the invitation in it. */
  readonly url: string
  /** To be shown: `192.168.1.7:8080`. */
  readonly address: string
  /** The server's fingerprint, where the invitation names it. */
  readonly fingerprint: string | null
  /** The address is one of a local or an amateur radio network. */
  readonly local: boolean
}

export interface InternetView {
  readonly online: boolean
  /** Since when, milliseconds since 1970 by this device's clock. */
  readonly since: number
}

/** `part97`: amateur frequencies, where nothing may be encrypted. */
export type Zone = 'open' | 'part97'

export interface ZoneRule {
  /** An interface's name, or an address prefix such as `10.54.3.88/29`. */
  readonly subject: string
  readonly zone: Zone
}

export interface ZonesView {
  readonly rules: readonly (ZoneRule & {
    /** Who made it. What the settings say is changed on the machine. */
    readonly source: 'settings' | 'owner'
  })[]
  /** The networks the server's machine is on now. */
  readonly networks: readonly {
    readonly name: string
    readonly addresses: readonly string[]
    readonly zone: Zone
    /** Why, as the end of a sentence. */
    readonly reason: string
  }[]
}

/** One thing that a call between browsers needs. */
export interface Check {
  readonly about: 'server' | 'network' | 'zone' | 'route' | 'permission' | 'address' | 'multicast' | 'isolation' | 'certificate'
  /** `unknown`: it cannot be seen from here. */
  readonly state: 'ok' | 'problem' | 'unknown'
  /** What was found. */
  readonly sentence: string
  /** One thing to do about a problem. */
  readonly action: string | null
  /** What the page can offer to do. */
  readonly help: 'microphone' | 'trust' | null
}
