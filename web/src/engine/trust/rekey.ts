/**
 * Changes of keys: the old key signs the new one, and the new one agrees.
 *
 * Keys that follow each other form a line. A change counts only when its generation is exactly one more than
 * the old key's; two successors of one key suspend both, until somebody decides. Lines are computed from the
 * whole set of changes, so their order does not matter.
 */
import { baseOf } from './callsign'
import type { Change } from './heard'
import { verifyStatement } from './keys'
import { statement } from './statement'
import type { Web } from './web'

export class Lines {
  /** Keys whose place in a line is disputed. */
  readonly suspended: ReadonlySet<string>

  private constructor(suspended: ReadonlySet<string>) {
    this.suspended = suspended
  }

  /** Of the changes that both keys signed, between keys that the web holds for that callsign. */
  static async of(web: Web, changes: readonly Change[], chosen: readonly { readonly old: string; readonly new: string }[]): Promise<Lines> {
    const signed: Change[] = []
    for (const change of changes) if (await isSigned(web, change)) signed.push(change)
    const suspended = new Set<string>()
    for (const [old, successors] of follow(signed)) {
      if (successors.size < 2) continue
      const kept = chosen.findLast((choice) => choice.old === old)?.new
      for (const key of successors) if (key !== kept) suspended.add(key)
    }
    return new Lines(suspended)
  }
}

async function isSigned(web: Web, change: Change): Promise<boolean> {
  const { old, new: next, callsign, generation, byOld, byNew } = change
  if (old === next || !Number.isSafeInteger(generation) || generation < 1) return false
  const text = statement('rekey', { old, new: next, callsign, generation: String(generation) })
  for (const [keyId, signature] of [[old, byOld], [next, byNew]] as const) {
    const held = web.certificatesOf(keyId).some(({ certificate }) => baseOf(certificate.callsign) === baseOf(callsign))
    const key = held ? web.key(keyId) : null
    if (!key || !(await verifyStatement(key, text, signature))) return false
  }
  return true
}

/** Generation by generation: the old key must have the one before, and the new key none yet. */
function follow(changes: readonly Change[]): ReadonlyMap<string, ReadonlySet<string>> {
  const successors = new Map<string, Set<string>>()
  const generations = new Map<string, number>()
  const order = (a: Change, b: Change) => a.generation - b.generation || compare(a.old, b.old) || compare(a.new, b.new)
  for (const { old, new: next, generation } of [...changes].sort(order)) {
    const before = generations.get(old) ?? 0
    if (generation !== before + 1 || generations.has(next)) continue
    generations.set(old, before)
    generations.set(next, generation)
    successors.set(old, (successors.get(old) ?? new Set()).add(next))
  }
  return successors
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
