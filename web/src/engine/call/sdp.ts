/**
 * What binds a session description to one browser: the fingerprint of its DTLS certificate (RFC 8122).
 *
 * Everything else in a description can at worst misroute a call. Reading is more forgiving than any
 * browser's, so that no line which a browser would use is overlooked here.
 */

/** The different DTLS certificates a description names. A browser's own names exactly one. */
export function dtlsKeys(sdp: string): readonly string[] {
  const keys = new Set<string>()
  for (const line of sdp.split(/[\r\n]+/)) {
    const value = /^\s*a\s*=\s*fingerprint\s*:(.*)$/i.exec(line)?.[1]
    // Hash names and hex digits may be written either way (RFC 8122, 5).
    if (value !== undefined) keys.add(value.trim().replace(/\s+/g, ' ').toLowerCase())
  }
  return [...keys]
}
