/**
 * The owner of the server whose code was scanned. A server proves to guests nothing when they come in; but
 * the code names its certificate, and that names, by its signature, the owner. Who handed both over adds nothing.
 */
import { type Certificate, issuedBy, parseCertificate } from './certificate'

/** How to get a certificate and those above it, PEM. */
export type Fetch = (fingerprint: string) => Promise<{ readonly certificate: string; readonly chain: readonly string[] }>

/** As many as can stand above a server. */
const MAX_ABOVE = 16

/** Null when what came is not the server of the code, or does not show who signed it. */
export async function joinedOwner(fingerprint: string, fetch: Fetch): Promise<Certificate | null> {
  const { certificate, chain } = await fetch(fingerprint)
  const server = await parseCertificate(certificate)
  if (server?.fingerprint !== fingerprint) return null
  for (const pem of chain.slice(0, MAX_ABOVE)) {
    const above = await parseCertificate(pem)
    if (above && (await issuedBy(server, above))) return above
  }
  return null
}
