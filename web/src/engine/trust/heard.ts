/**
 * What was heard of keys that were withdrawn or changed. Each carries its own signature, so it does not matter
 * who told it; nothing is ever taken back, so sets of them merge by union. No cryptography here.
 */

/** A signed statement that a certificate is dead. */
export interface Tombstone {
  /** The certificate's identity. */
  readonly target: string
  /** The id of the key that signed. */
  readonly signer: string
  readonly signature: string
}

/** A change of keys with both signatures. */
export interface Change {
  /** Key ids. */
  readonly old: string
  readonly new: string
  readonly callsign: string
  /** The new key's place in its line; a first key has 0. */
  readonly generation: number
  readonly byOld: string
  readonly byNew: string
}

export interface Statements {
  readonly tombstones: readonly Tombstone[]
  readonly rekeys: readonly Change[]
}

export const NO_STATEMENTS: Statements = { tombstones: [], rekeys: [] }

/** Most of each kind that a browser keeps; the oldest give way. */
const MAX_KEPT = 4096

export function mergeStatements(held: Statements, more: Statements): Statements {
  return {
    tombstones: union(held.tombstones, more.tombstones, ({ target, signer, signature }) => [target, signer, signature].join()),
    rekeys: union(held.rekeys, more.rekeys, (change) => [change.old, change.new, change.callsign, change.generation, change.byOld, change.byNew].join()),
  }
}

function union<T>(held: readonly T[], more: readonly T[], name: (one: T) => string): readonly T[] {
  return [...new Map([...held, ...more].map((one) => [name(one), one])).values()].slice(-MAX_KEPT)
}
