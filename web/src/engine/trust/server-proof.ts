/**
 * Judges a server's `CHALLENGE` before anything is signed for it.
 *
 * A proof counts when the server's own key signed the statement that names our nonce, both
 * certificates and the URL we dialled. It makes the server *the one it says it is*; whether we believe
 * that one is a second question, answered by our own signature on it, the join code, a pin, or a path of
 * certificates to our own root.
 */
import { type Beliefs, judgeChain } from './beliefs'
import { type Certificate, issuedBy, parseCertificate } from './certificate'
import { verifyStatement } from './keys'
import { type Login, statement } from './statement'
import type { Verdict as TrustVerdict } from './verdict'

export interface Proof {
  readonly chain: readonly string[]
  readonly signature: string
}

/** What we believe; a login needs a certificate of our own. */
export interface Knowledge extends Beliefs {
  readonly mine: Certificate
}

export type Verdict =
  | { readonly kind: 'trusted'; readonly fingerprint: string; readonly isOwner: boolean; readonly owner: Certificate; readonly login: Login }
  | { readonly kind: 'unknown'; readonly fingerprint: string; readonly owner: string }
  | { readonly kind: 'refused'; readonly reason: string }

type Dialled = Pick<Login, 'clientNonce' | 'serverNonce' | 'url'>

export async function judge(proof: Proof, dialled: Dialled, known: Knowledge): Promise<Verdict> {
  const [ownPem, issuerPem] = proof.chain
  const server = ownPem === undefined ? null : await parseCertificate(ownPem)
  if (!server) return refused('This server shows a certificate that cannot be read. Ask its owner to check it.')
  const login: Login = { ...dialled, server: server.fingerprint, client: known.mine.fingerprint }
  if (!(await verifyStatement(server.publicKey, statement('server-proof', login), proof.signature))) {
    return refused('This server could not prove that it is the one it says it is. Nothing was signed for it; somebody may be standing in between.')
  }
  if (await issuedBy(server, known.mine)) {
    return { kind: 'trusted', fingerprint: server.fingerprint, isOwner: true, owner: known.mine, login }
  }
  const issuer = issuerPem === undefined ? null : await parseCertificate(issuerPem)
  if (!(issuer && (await issuedBy(server, issuer)))) {
    return refused('This server does not show who owns it. Ask its owner to check its certificate.')
  }
  const chain = await judgeChain(proof.chain, { ...known, owner: null, distrusted: [] })
  if (chain.kind === 'not-trusted' && isDead(chain.why)) {
    return refused(`The key of this server, or one above it, was withdrawn. Ask ${issuer.callsign} before you go on.`)
  }
  const accepted = known.joinCode === server.fingerprint || (await known.isPinned(server.fingerprint))
  if (known.joinCode !== null && !accepted) {
    return refused('This server is not the one whose code you scanned. Scan the code on its screen again, or open its address without a code.')
  }
  if (accepted || chain.kind === 'trusted') return { kind: 'trusted', fingerprint: server.fingerprint, isOwner: false, owner: issuer, login }
  return { kind: 'unknown', fingerprint: server.fingerprint, owner: issuer.callsign }
}

function isDead(why: TrustVerdict): boolean {
  return why !== 'untrusted' && why !== 'waiting'
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason }
}
