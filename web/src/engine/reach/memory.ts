/** The servers this browser heard of, for the day the one it is at is gone. They belong to this page's origin. */

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

function isRemembered(value: unknown): value is Remembered {
  const { callsign, endpoint, seen } = (value ?? {}) as Partial<Record<keyof Remembered, unknown>>
  return typeof callsign === 'string' && typeof endpoint === 'string' && URL.canParse(endpoint) && typeof seen === 'number'
}
