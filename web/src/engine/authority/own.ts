/**
 * What an operator's own key says about certificates: vouching, taking back, withdrawing, changing keys.
 *
 * Loaded when it is needed. Invariant: what is signed is computed here from certificates that were read here;
 * no name of a thing to sign is taken from the server.
 */
import { Problem } from '../problem'
import type { Checked, Endorsement, EndorsementRequest } from '../../model-certificates'
import { isCallsign } from '../trust/callsign'
import { type Certificate, identityUnder, isSignedBy, issuedBy, parseCertificate } from '../trust/certificate'
import type { Change, Tombstone } from '../trust/heard'
import type { Identity } from '../trust/identity'
import { vouchFor } from '../trust/issue'
import { exportPublicKey, generateKeys, keyIdOf, sealed, signStatement } from '../trust/keys'
import { isClass, MAX_CLASS } from '../trust/licence'
import { statement } from '../trust/statement'

/** A certificate by our key for the holder of another. */
export async function wordFor(pem: string, { method, licenceClass }: Checked, identity: Identity): Promise<Certificate> {
  const theirs = await read(pem)
  const stated = licenceClass.trim() || null
  if (theirs.server) throw new Problem('This is the certificate of a server. Only its owner vouches for it.')
  if (stated !== null && !isClass(stated)) throw new Problem(`A licence class is a short word such as Extra or Full, of at most ${MAX_CLASS} letters.`)
  return vouchFor(theirs.publicKey, { callsign: theirs.callsign, licenceClass: stated }, method, identity.parsed, identity.privateKey)
}

export async function isByUs(pem: string, identity: Identity): Promise<boolean> {
  const theirs = await parseCertificate(pem)
  return theirs !== null && theirs.keyId !== identity.parsed.keyId && (await isSignedBy(theirs, identity.parsed.publicKey))
}

/** Ends a certificate that our key signed. */
export async function endOf(pem: string, identity: Identity): Promise<Tombstone> {
  const theirs = await read(pem)
  if (!(await isSignedBy(theirs, identity.parsed.publicKey))) throw new Problem('Your key did not sign this certificate, so it is not yours to take back.')
  return tombstone(identityUnder(theirs, identity.parsed.spki), identity)
}

/** Withdraws our own key, whoever vouches for it. */
export async function withdrawal(identity: Identity): Promise<Tombstone> {
  const above = identity.chain[0] === undefined ? identity.parsed : await read(identity.chain[0])
  const issuer = (await issuedBy(identity.parsed, above)) ? above : identity.parsed
  return tombstone(identityUnder(identity.parsed, issuer.spki), identity)
}

/** A new key for the same person: its certificate by the old key, and the change signed by both. */
export async function successorOf(identity: Identity, generation: number): Promise<{ readonly next: Identity; readonly change: Change }> {
  const { parsed } = identity
  const keys = await generateKeys()
  const { callsign, licenceClass, method } = parsed.licence ?? { callsign: parsed.callsign, licenceClass: null, method: 'self-asserted' }
  const certificate = await vouchFor(keys.publicKey, { callsign, licenceClass }, method, parsed, identity.privateKey)
  const keyId = keyIdOf(await exportPublicKey(keys.publicKey))
  const text = statement('rekey', { old: parsed.keyId, new: keyId, callsign, generation: String(generation) })
  const [byOld, byNew] = await Promise.all([signStatement(identity.privateKey, text), signStatement(keys.privateKey, text)])
  return {
    next: {
      certificate: certificate.pem,
      chain: [identity.certificate, ...identity.chain],
      privateKey: await sealed(keys.privateKey),
      backedUp: false,
      parsed: certificate,
      exportable: keys.privateKey,
    },
    change: { old: parsed.keyId, new: keyId, callsign, generation, byOld, byNew },
  }
}

/** Our word that we met whoever made a request, and saw the licence. */
export async function endorsementOf(request: EndorsementRequest, identity: Identity): Promise<Endorsement> {
  const { keyId: key, callsign, licenceClass } = request
  const whole = /^[0-9a-f]{64}$/.test(key) && isCallsign(callsign) && (licenceClass === null || isClass(licenceClass))
  if (!whole) throw new Problem('This request is not complete. Ask for it once more: scan its code again, or have the whole text sent.')
  const text = statement('endorse', { key, callsign, class: licenceClass, method: 'in-person' })
  return { keyId: identity.parsed.keyId, signature: await signStatement(identity.privateKey, text) }
}

/** Our identity with another certificate for the same key. */
export async function identityWith(pem: string, chain: readonly string[], identity: Identity): Promise<Identity> {
  const parsed = await read(pem)
  if (parsed.keyId !== identity.parsed.keyId || !parsed.licence) throw new Problem('This certificate is not for your key.')
  return { ...identity, certificate: parsed.pem, chain, parsed }
}

async function tombstone(target: string, identity: Identity): Promise<Tombstone> {
  const signer = identity.parsed.keyId
  return { target, signer, signature: await signStatement(identity.privateKey, statement('tombstone', { signer, target })) }
}

async function read(pem: string): Promise<Certificate> {
  const certificate = await parseCertificate(pem)
  if (!certificate) throw new Problem('This certificate cannot be read by the app. Reload the page, and tell the server’s owner if it stays so.')
  return certificate
}
