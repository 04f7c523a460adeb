/**
 * The ham licence extension of operator certificates (docs/protocol/certificates.md), strict DER.
 */
import * as asn1 from 'asn1js'
import { type Bytes, sameBytes, utf8 } from '../bytes'
import { isCallsign } from './callsign'

export const LICENCE_OID = '1.2.840.113556.1.8000.2554.37032.47686.17048.20168.44507.12235074.8805687'

/** In the order of their numbers in the extension. */
const METHODS = ['self-asserted', 'in-person', 'lotw', 'endorsements', 'document'] as const
export type VouchMethod = (typeof METHODS)[number]
/** Bytes. */
export const MAX_CLASS = 32

export interface Licence {
  readonly callsign: string
  readonly method: VouchMethod
  /** The issuer's callsign. */
  readonly vouchedBy: string
  readonly licenceClass: string | null
}

export function encodeLicence(licence: Licence): Bytes {
  const members: asn1.BaseBlock[] = [
    new asn1.Integer({ value: 1 }),
    new asn1.Utf8String({ value: licence.callsign }),
    new asn1.Enumerated({ value: METHODS.indexOf(licence.method) }),
    new asn1.Utf8String({ value: licence.vouchedBy }),
  ]
  if (licence.licenceClass !== null) {
    const idBlock = { tagClass: 3, tagNumber: 0 }
    members.push(new asn1.Primitive({ idBlock, valueHex: utf8(licence.licenceClass).buffer }))
  }
  return new Uint8Array(new asn1.Sequence({ value: members }).toBER())
}

/** Null for anything but version 1 in strict DER: what we would not have written ourselves is not read. */
export function decodeLicence(der: Uint8Array): Licence | null {
  const sequence = asn1.fromBER(der).result
  if (!(sequence instanceof asn1.Sequence)) return null
  const [version, callsign, method, vouchedBy, licenceClass] = sequence.valueBlock.value
  if (!(version instanceof asn1.Integer && version.valueBlock.valueDec === 1)) return null
  if (!(callsign instanceof asn1.Utf8String && vouchedBy instanceof asn1.Utf8String)) return null
  if (!(method instanceof asn1.Enumerated)) return null
  const vouchMethod = METHODS[method.valueBlock.valueDec]
  if (vouchMethod === undefined) return null
  const licence: Licence = {
    callsign: callsign.getValue(),
    method: vouchMethod,
    vouchedBy: vouchedBy.getValue(),
    licenceClass:
      licenceClass instanceof asn1.Primitive ? new TextDecoder().decode(licenceClass.valueBlock.valueHexView) : null,
  }
  const exact = isCallsign(licence.callsign) && isCallsign(licence.vouchedBy) && (licence.licenceClass === null || isClass(licence.licenceClass))
  return exact && sameBytes(encodeLicence(licence), der) ? licence : null
}

/** A short printable text without blanks around it. */
export function isClass(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in it.
  return text.trim() === text && text !== '' && text !== '-' && utf8(text).length <= MAX_CLASS && !/[\u0000-\u001f\u007f-\u009f]/.test(text)
}
