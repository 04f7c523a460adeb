/**
 * Distinguished encoding (X.690), read strictly: one structure has one form, so that a hash over a part
 * of it is a name for it. Finds where parts lie; what they mean is for others.
 */

/** Where an element lies. */
export interface Element {
  readonly tag: number
  readonly start: number
  /** Where its content begins. */
  readonly content: number
  readonly end: number
}

export const TAG = { boolean: 0x01, integer: 0x02, bitString: 0x03, null: 0x05, sequence: 0x30, set: 0x31, explicit0: 0xa0 } as const

/** Deeper than anything X.509 has. */
const MAX_DEPTH = 24

/** The members of a constructed element; null when they are not strict DER or do not fill it. */
export function membersOf(der: Uint8Array, parent: Pick<Element, 'content' | 'end'>): readonly Element[] | null {
  const members: Element[] = []
  for (let at = parent.content; at < parent.end; ) {
    const member = elementAt(der, at, parent.end)
    if (!member) return null
    members.push(member)
    at = member.end
  }
  return members
}

/** Whether these bytes are exactly one element, strict down to its leaves. */
export function isStrictDer(der: Uint8Array): boolean {
  const work: { readonly from: Pick<Element, 'content' | 'end'>; readonly depth: number }[] = [
    { from: { content: 0, end: der.length }, depth: 0 },
  ]
  for (let next = work.pop(); next; next = work.pop()) {
    const members = membersOf(der, next.from)
    if (!members || next.depth > MAX_DEPTH || (next.depth === 0 && members.length !== 1)) return false
    for (const member of members) {
      if (isConstructed(member)) work.push({ from: member, depth: next.depth + 1 })
      else if (!isMinimal(der, member)) return false
    }
  }
  return true
}

function isConstructed({ tag }: Element): boolean {
  return (tag & 0x20) !== 0
}

function elementAt(der: Uint8Array, start: number, end: number): Element | null {
  const tag = der[start]
  const first = der[start + 1]
  // Numbers of tags from 31 on have another form, which X.509 never needs.
  if (tag === undefined || first === undefined || start + 2 > end || (tag & 0x1f) === 0x1f) return null
  if (first < 0x80) return within({ tag, start, content: start + 2, end: start + 2 + first }, end)
  const count = first & 0x7f
  if (count === 0 || count > 3 || start + 2 + count > end) return null
  const length = der.subarray(start + 2, start + 2 + count).reduce((sum, byte) => sum * 256 + byte, 0)
  const isShortest = length >= (count === 1 ? 0x80 : 256 ** (count - 1))
  const content = start + 2 + count
  return isShortest ? within({ tag, start, content, end: content + length }, end) : null
}

function within(element: Element, end: number): Element | null {
  return element.end <= end ? element : null
}

function isMinimal(der: Uint8Array, { tag, content, end }: Element): boolean {
  const length = end - content
  const first = der[content] ?? 0
  switch (tag) {
    case TAG.boolean:
      return length === 1 && (first === 0 || first === 0xff)
    case TAG.integer: {
      const second = der[content + 1] ?? 0
      const padded = length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
      return length > 0 && !padded
    }
    case TAG.bitString:
      return length > 0 && first < 8
    case TAG.null:
      return length === 0
    default:
      return true
  }
}
