/**
 * The little ASN.1 that key files need: short names for making nodes, and readers that throw
 * `Unreadable` as soon as a node is not what the format says.
 */
import * as asn1 from 'asn1js'
import { type Bytes, concat } from '../../bytes'

export type Node = asn1.BaseBlock

export class Unreadable extends Error {}

export const sequence = (...value: Node[]): Node => new asn1.Sequence({ value })
export const set = (...value: Node[]): Node => new asn1.Set({ value })
export const oid = (value: string): Node => new asn1.ObjectIdentifier({ value })
export const integer = (value: number): Node => new asn1.Integer({ value })
export const octets = (value: Bytes): Node => new asn1.OctetString({ valueHex: value.slice().buffer })
export const bmpString = (value: string): Node => new asn1.BmpString({ value })
export const nothing = (): Node => new asn1.Null()
export const explicit = (tagNumber: number, value: Node): Node =>
  new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value: [value] })
/** `[tag] IMPLICIT OCTET STRING`. */
export const implicitOctets = (tagNumber: number, value: Bytes): Node =>
  new asn1.Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex: value.slice().buffer })

export function encode(node: Node): Bytes {
  return new Uint8Array(node.toBER())
}

export function decode(bytes: Bytes): Node {
  const { offset, result } = asn1.fromBER(bytes)
  if (offset === -1) throw new Unreadable('not ASN.1')
  return result
}

/** The members of a SEQUENCE, a SET or an explicitly tagged value. */
export function members(node: Node | undefined): readonly Node[] {
  if (!(node instanceof asn1.Constructed)) throw new Unreadable('members expected')
  return node.valueBlock.value
}

/** The first member of a SEQUENCE, a SET or an explicitly tagged value. */
export function inner(node: Node | undefined): Node {
  const [first] = members(node)
  if (!first) throw new Unreadable('a member expected')
  return first
}

export function oidOf(node: Node | undefined): string {
  if (!(node instanceof asn1.ObjectIdentifier)) throw new Unreadable('an object identifier expected')
  return node.getValue()
}

export function numberOf(node: Node | undefined): number {
  if (!(node instanceof asn1.Integer) || node.valueBlock.isHexOnly) throw new Unreadable('a number expected')
  return node.valueBlock.valueDec
}

/** Octets in one piece or, as some programs write them, in several. */
export function octetsOf(node: Node | undefined): Bytes {
  if (node?.idBlock.isConstructed) return concat(...members(node).map(octetsOf))
  if (node instanceof asn1.OctetString || node instanceof asn1.Primitive) return node.valueBlock.valueHexView.slice()
  throw new Unreadable('octets expected')
}
