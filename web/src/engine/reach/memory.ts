/** The servers this browser heard of, for the day the one it is at is gone. They belong to this page's origin. */
import type { LocalServers } from '../../wire/http'
import { isCallsign } from '../trust/callsign'
import { readEndpoint } from './invitation'

export interface Remembered {
  readonly callsign: string
  readonly endpoint: string
  /** When it was heard of last, milliseconds since 1970 by this device's clock. */
  readonly seen: number
}

const KEY = 'servers'
/** The latest stay. */
const MOST = 16

export class Memory {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | null

  /** Without storage, which some private windows forbid, nothing is remembered. */
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'> | null) {
    this.#storage = storage
  }

  /** The latest first. */
  list(): readonly Remembered[] {
    try {
      const stored: unknown = JSON.parse(this.#storage?.getItem(KEY) ?? '[]')
      return Array.isArray(stored) ? stored.filter(isRemembered).slice(0, MOST) : []
    } catch {
      return []
    }
  }

  remember(heard: readonly Remembered[]): void {
    const latest = [...heard, ...this.list()].sort((one, other) => other.seen - one.seen)
    const each = latest.filter(({ endpoint }, index) => latest.findIndex((one) => one.endpoint === endpoint) === index)
    try {
      this.#storage?.setItem(KEY, JSON.stringify(each.slice(0, MOST)))
    } catch {
      // Full: the old ones stay.
    }
  }
}

/** A server that another one tells of. */
export interface Told {
  readonly callsign: string
  readonly endpoint: string
  /** `192.168.1.7:8080`. */
  readonly address: string
  readonly local: boolean
  /** Seconds since it was heard; null where only others hear it. */
  readonly age: number | null
  readonly found: 'mdns' | 'manual' | 'peer'
  readonly verified: boolean
}

/** Of what another server tells, which need not be an honest one: the first that are servers' addresses. */
export function toldOf(answer: LocalServers): readonly Told[] {
  const told: unknown = answer?.servers
  if (!Array.isArray(told)) return []
  return (told as readonly (Partial<Record<keyof LocalServers['servers'][number], unknown>> | null)[]).slice(0, MOST_TOLD).flatMap((one) => {
    const place = readEndpoint(one?.endpoint)
    const { callsign, age, source, verified } = one ?? {}
    if (place === null || typeof callsign !== 'string' || !isCallsign(callsign)) return []
    return [{ ...place, callsign, age: typeof age === 'number' ? age : null, found: source === 'manual' || source === 'peer' ? source : 'mdns', verified: verified === true } as const]
  })
}

/** What of them is worth remembering, heard of at `now`. */
export function worth(told: readonly Told[], now: number): readonly Remembered[] {
  return told.map(({ callsign, endpoint, age }) => ({ callsign, endpoint, seen: now - (age ?? 0) * 1000 }))
}

const MOST_TOLD = 160

function isRemembered(value: unknown): value is Remembered {
  const { callsign, endpoint, seen } = (value ?? {}) as Partial<Record<keyof Remembered, unknown>>
  return typeof callsign === 'string' && readEndpoint(endpoint) !== null && typeof seen === 'number'
}
