/** What a scanned code says in the address: `#join=1.FINGERPRINT[.NET]`. */
export interface JoinCode {
  readonly fingerprint: string
  readonly net: string | null
}

export function readJoinCode(hash: string): JoinCode | null {
  const [, fingerprint, net] = /^#join=1\.([0-9a-f]{64})(?:\.([a-z0-9-]{1,32}))?$/i.exec(hash) ?? []
  return fingerprint === undefined ? null : { fingerprint: fingerprint.toLowerCase(), net: net?.toLowerCase() ?? null }
}
