/** Callsigns as certificates hold them, by the rules of the server's own type (crates/station). */

const RESERVED: ReadonlySet<string> = new Set(['GUEST', 'N0CALL', 'NOCALL'])

/** Whether a text is a callsign written as it is kept: nothing is forgiven here. */
export function isCallsign(text: string): boolean {
  const wellFormed = text.length >= 3 && text.length <= 20 && /^[A-Z0-9]+(?:\/[A-Z0-9]+)*$/.test(text)
  const base = baseOf(text)
  return wellFormed && !RESERVED.has(text) && base.length >= 3 && /[A-Z]/.test(base) && /[0-9]/.test(base)
}

/** The home call inside decorations, by which calls are compared: the longest part, the last of equals. */
export function baseOf(callsign: string): string {
  return callsign.split('/').reduce((best, part) => (part.length >= best.length ? part : best), '')
}
