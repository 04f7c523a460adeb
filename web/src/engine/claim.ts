/**
 * Claiming: makes the operator's certificate and the server's, and hands both over.
 *
 * Invariant: the key that signs for the server is stored before the server hears of it. Were the
 * answer lost, the server would otherwise belong to a key that is gone.
 */
import type { ClaimRequest, ClaimResult } from '../model'
import { type Api, ApiProblem, type Claim } from './api'
import { fromPem } from './bytes'
import { Problem } from './problem'
import { forServer } from './trust/issue'
import { type Identity, identityFromFile, makeIdentity } from './trust/identity'
import { importPublicKey } from './trust/keys'
import { isClass, MAX_CLASS } from './trust/licence'
import type { Store } from './trust/store'

export interface Claimed {
  readonly result: ClaimResult
  /** Ours from now on, when the claim succeeded. */
  readonly identity: Identity | null
}

type Refused = Extract<ClaimResult, { ok: false }>

export async function claim(request: ClaimRequest, api: Api, store: Store): Promise<Claimed> {
  const callsign = request.callsign.trim().toUpperCase()
  if (callsign === '') return refused('callsign', 'Enter your callsign.')
  const licenceClass = request.licenceClass.trim()
  if (licenceClass !== '' && !isClass(licenceClass)) return refused('licenceClass', `A licence class is a short word such as Extra or Full, of at most ${MAX_CLASS} letters.`)
  try {
    const station = await api.claimStation()
    if (station.codeRequired) {
      return refused(null, 'From here a claim needs the code on the console of the server. Open this page on the server’s own machine, or run `ham-server claim --url` there.')
    }
    const serverKey = await readServerKey(station.publicKey)
    const identity = await identityFor(request, callsign)
    if (identity.parsed.callsign !== callsign) {
      return refused('callsign', `The key in this file belongs to ${identity.parsed.callsign}. Enter that callsign, or choose the file of ${callsign}.`)
    }
    const serverCertificate = await forServer(serverKey, identity.parsed, identity.privateKey)
    const before = await store.identity()
    await store.keepIdentity(identity)
    try {
      await send(api, documentFor(request, identity, serverCertificate.pem), serverCertificate.fingerprint)
    } catch (error) {
      // Without an answer nobody knows whether the server took it: then the key is kept.
      if (!isUnanswered(error)) await (before ? store.keepIdentity(before) : store.forgetIdentity())
      throw error
    }
    await store.pin(serverCertificate.fingerprint)
    return { result: { ok: true }, identity }
  } catch (error) {
    return { result: explained(error, request), identity: null }
  }
}

async function readServerKey(pem: string): Promise<CryptoKey> {
  const spki = fromPem('PUBLIC KEY', pem)
  const key = spki && (await importPublicKey(spki).catch(() => null))
  if (!key) throw new Problem('The server’s key cannot be read. Restart the server, then try again.')
  return key
}

async function identityFor(request: ClaimRequest, callsign: string): Promise<Identity> {
  if (request.key === 'new') {
    return makeIdentity({ callsign, licenceClass: request.licenceClass.trim() || null })
  }
  const bytes = new Uint8Array(await request.key.file.arrayBuffer())
  try {
    return await identityFromFile(bytes, request.key.password)
  } catch (error) {
    throw error instanceof Problem ? new KeyProblem(error.message) : error
  }
}

class KeyProblem extends Problem {}

function documentFor(request: ClaimRequest, identity: Identity, serverCertificate: string): Claim {
  const name = request.name.trim()
  const grid = request.grid.trim()
  const licenseClass = request.licenceClass.trim()
  return {
    certificate: identity.certificate,
    chain: [...identity.chain],
    serverCertificate,
    station: {
      callsign: identity.parsed.callsign,
      metadata: { ...(name && { name }), ...(grid && { grid }), ...(licenseClass && { licenseClass }) },
    },
    openToNetwork: request.openToNetwork,
  }
}

/** Posts the claim; when the answer is lost, asks whose the server is now. */
async function send(api: Api, document: Claim, serverFingerprint: string): Promise<void> {
  try {
    await api.claim(document)
  } catch (error) {
    if (!isUnanswered(error)) throw error
    const info = await api.info().catch(() => null)
    if (info?.certFingerprint !== serverFingerprint) throw error
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === 'unreachable'
}

/** Which input a refusal is about (docs/protocol/http.md). */
const FIELD: Readonly<Record<string, Refused['field']>> = {
  'callsign-mismatch': 'callsign',
  'bad-callsign': 'callsign',
  'bad-grid': 'grid',
  'bad-name': 'name',
  'bad-license-class': 'licenceClass',
  'bad-certificate': 'key',
}

function explained(error: unknown, request: ClaimRequest): Refused {
  if (error instanceof KeyProblem) return { ok: false, field: 'key', problem: error.message }
  if (error instanceof ApiProblem) {
    const field = FIELD[error.code] ?? null
    // There is no file to point at when the key was made here.
    return { ok: false, field: field === 'key' && request.key === 'new' ? null : field, problem: error.message }
  }
  if (error instanceof Problem) return { ok: false, field: null, problem: error.message }
  return { ok: false, field: null, problem: 'This browser could not make the certificates. Try another browser on this machine, or run `ham-server claim`.' }
}

function refused(field: Refused['field'], problem: string): Claimed {
  return { result: { ok: false, field, problem }, identity: null }
}
