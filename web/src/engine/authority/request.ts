/**
 * Makes what asks for a certificate, and judges what comes back.
 *
 * Invariant: an answer becomes our identity only if it certifies the very key we made, for the callsign we
 * asked for, under a chain whose every link is signed.
 */
import type { Wish } from '../../model-certificates'
import { fromPem, sha256Hex } from '../bytes'
import { Problem } from '../problem'
import { isCallsign } from '../trust/callsign'
import { issuedBy, parseCertificate } from '../trust/certificate'
import type { Identity } from '../trust/identity'
import { requestFor } from '../trust/issue'
import { exportPublicKey, generateKeys, keyIdOf, sealed } from '../trust/keys'
import { isClass, MAX_CLASS } from '../trust/licence'
import type { StoredRequest } from '../trust/request'
import type { Issued } from './wire'

export { codeProof, statement } from '../trust/statement'

/** Rejects with a `Problem` for what cannot be a callsign or a class. */
export async function newRequest(wish: Wish): Promise<StoredRequest> {
  const callsign = wish.callsign.trim().toUpperCase()
  const licenceClass = wish.licenceClass.trim() || null
  if (!isCallsign(callsign)) throw new Problem('This is not a callsign. It has letters and at least one digit, such as W1AW or DL/K1ABC.')
  if (licenceClass !== null && !isClass(licenceClass)) throw new Problem(`A licence class is a short word such as Extra or Full, of at most ${MAX_CLASS} letters.`)
  const keys = await generateKeys()
  return {
    callsign,
    licenceClass,
    privateKey: keys.privateKey,
    publicKey: keys.publicKey,
    keyId: keyIdOf(await exportPublicKey(keys.publicKey)),
    csr: await requestFor(keys, callsign),
    id: null,
    sent: false,
    endorsements: [],
    since: Date.now(),
  }
}

/** SHA-256 of a certificate's DER. */
export function fingerprintOf(pem: string): string {
  return sha256Hex(fromPem('CERTIFICATE', pem) ?? new Uint8Array())
}

/** The identity that an answer gives us. Rejects with a `Problem` when it does not fit the request. */
export async function identityFrom(issued: Pick<Issued, 'certificate' | 'chain'>, request: StoredRequest): Promise<Identity> {
  const parsed = await parseCertificate(issued.certificate)
  if (!parsed?.licence) throw new Problem('The server answered with a certificate that cannot be read. Ask its owner to look at its version.')
  if (parsed.keyId !== request.keyId || parsed.callsign !== request.callsign) {
    throw new Problem('The server answered with a certificate for another key or callsign. Ask again, and tell its owner if it comes again.')
  }
  let last = parsed
  for (const pem of issued.chain) {
    const above = await parseCertificate(pem)
    if (!(above && (await issuedBy(last, above)))) throw new Problem('The certificate that the server sent is not signed by those it names. Nothing was kept; tell the server’s owner.')
    last = above
  }
  return {
    certificate: parsed.pem,
    chain: issued.chain,
    privateKey: await sealed(request.privateKey),
    backedUp: false,
    parsed,
    exportable: request.privateKey,
  }
}
