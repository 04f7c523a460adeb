/** What the claim page thinks of a callsign. It warns and never refuses: the server decides what it can hold. */

/** The home call inside decorations: the longest part, the last of equals (`W1AW` of `F/W1AW/P`). */
function base(call: string): string {
  return call.split('/').reduce((best, part) => (part.length >= best.length ? part : best), '')
}

/** ITU RR 19.68: a one- or two-character prefix, a digit, up to four characters of which the last is a letter. */
export function isUsualCallsign(call: string): boolean {
  return /^([BFGIKMNRW]|[A-Z][A-Z0-9]|[0-9][A-Z])[0-9][A-Z0-9]{0,3}[A-Z]$/.test(base(call.trim().toUpperCase()))
}
