/**
 * A server's trust bundle (docs/protocol/http.md): what it says of certificates, signed by it.
 *
 * Loaded when it is needed. It adds no anchor. What it says of withdrawn and changed keys carries the signatures
 * of those keys; its distrust is its owner's, and counts while we are logged in to it.
 */
import { sha256Hex, utf8 } from '../bytes'
import { parseCertificate } from '../trust/certificate'
import type { Statements } from '../trust/heard'
import { verifyStatement } from '../trust/keys'
import { statement } from '../trust/statement'
import { fingerprintOf } from './request'
import type { Bundle } from './wire'

export interface Told extends Statements {
  /** Identities. */
  readonly distrusted: readonly string[]
}

/** What the bundle says, if the server with this fingerprint signed it. */
export async function readBundle(bundle: Bundle, fingerprint: string, certificate: string): Promise<Told | null> {
  const server = await parseCertificate(certificate)
  if (bundle.server !== fingerprint || server?.fingerprint !== fingerprint) return null
  const text = statement('trust-bundle', { server: bundle.server, timestamp: String(bundle.timestamp), listing: sha256Hex(utf8(listing(bundle))) })
  if (!(await verifyStatement(server.publicKey, text, bundle.signature))) return null
  return { tombstones: bundle.tombstones, rekeys: bundle.rekeys, distrusted: bundle.blacklisted }
}

function listing({ certificates, blacklisted, tombstones, rekeys }: Bundle): string {
  return [
    ...certificates.map((pem) => `certificate ${fingerprintOf(pem)}`),
    ...blacklisted.map((identity) => `blacklisted ${identity}`),
    ...tombstones.map(({ target, signer, signature }) => `tombstone ${target} ${signer} ${signature}`),
    ...rekeys.map((change) => `rekey ${change.old} ${change.new} ${change.callsign} ${change.generation} ${change.byOld} ${change.byNew}`),
  ].join('\n')
}
