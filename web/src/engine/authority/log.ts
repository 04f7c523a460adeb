/**
 * A server's issuance log (docs/protocol/certificates.md): shown in pages, and checked as a whole.
 *
 * Each entry names the head before it, and its own head is the hash of its text, so the last head stands for
 * all of them; the server signs it. Whoever checked a log once also finds out later when its past was changed.
 */
import type { LogCheck, LogEntry, LogPage } from '../../model-certificates'
import { sha256Hex, utf8 } from '../bytes'
import { parseCertificate } from '../trust/certificate'
import { verifyStatement } from '../trust/keys'
import { statement } from '../trust/statement'
import type { LogTip, Store } from '../trust/store'
import type { Client } from './client'
import type * as Wire from './wire'

const EMPTY: LogTip = { size: 0, head: '0'.repeat(64) }

export async function logPage(client: Client, after: string | null): Promise<LogPage> {
  const { body, next } = await client.page<Wire.Log>(after === null ? '/api/log' : `/api/log?after=${encodeURIComponent(after)}`)
  return { entries: body.entries.map(shown), next, size: body.checkpoint.size }
}

/** Fetches every entry. `server` is the fingerprint of the server's certificate. */
export async function checkLog(client: Client, store: Store, server: string): Promise<LogCheck> {
  const { certificate } = await client.get<Wire.Detail>(`/api/certificates/${server}`)
  const signer = await parseCertificate(certificate)
  if (signer?.fingerprint !== server) return broken('The server does not show the certificate that its log is signed with.')
  const known = await store.logTip(signer.keyId)
  let tip = EMPTY
  let after: string | null = null
  for (;;) {
    const { body, next }: { body: Wire.Log; next: string | null } = await client.page<Wire.Log>(
      after === null ? '/api/log' : `/api/log?after=${encodeURIComponent(after)}`,
    )
    for (const entry of body.entries) {
      if (entry.index !== tip.size || entry.previous !== tip.head) return broken(`Entry ${entry.index + 1} does not follow the one before it: the log was changed.`)
      tip = { size: tip.size + 1, head: sha256Hex(utf8(textOf(entry))) }
      if (known?.size === tip.size && known.head !== tip.head) return broken(`The log differs from the one this browser checked before: its first ${known.size} entries were changed.`)
    }
    after = body.entries.length > 0 ? next : null
    if (after !== null) continue
    const { checkpoint } = body
    if (known && known.size > tip.size) return broken(`The log became shorter: this browser has checked ${known.size} entries before.`)
    if (checkpoint.size !== tip.size || checkpoint.head !== tip.head) return broken('The entries do not lead to what the server signed.')
    const text = statement('checkpoint', { server: signer.keyId, size: String(tip.size), head: tip.head })
    if (!(await verifyStatement(signer.publicKey, text, checkpoint.signature))) return broken('The server’s signature on its log is wrong.')
    await store.keepLogTip(signer.keyId, tip)
    return { ok: true, ...tip }
  }
}

function broken(problem: string): LogCheck {
  return { ok: false, problem }
}

function shown(entry: Wire.Entry): LogEntry {
  const { index, time, callsign, licenseClass, method, certificate } = entry
  return { index, at: time * 1000, callsign, licenceClass: licenseClass ?? null, method, fingerprint: certificate }
}

function textOf(entry: Wire.Entry): string {
  const { index, time, certificate, identity, holder, callsign, licenseClass, method, evidence, previous } = entry
  return ['ham-server-log/1', index, time, certificate, identity, holder, callsign, licenseClass ?? '-', method, evidence ?? '-', previous].join('\n')
}
