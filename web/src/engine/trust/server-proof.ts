/**
 * Judges a server's `CHALLENGE` before anything is signed for it.
 *
 * A proof counts when the server's own key signed the statement that names our nonce, both
 * certificates and the URL we dialled. It makes the server *the one it says it is*; whether we know
 * that one is a second question, answered by the join code, a pin, or our own signature on it.
 */
import { type Certificate, issuedBy, parseCertificate } from './certificate'
import { verifyStatement } from './keys'
import { type Login, statement } from './statement'

export interface Proof {
  readonly chain: readonly string[]
  readonly signature: string
}

/** What we know of servers. */
export interface Knowledge {
  /** Our own certificate, whose key may have made the server ours. */
  readonly mine: Certificate
  /** The fingerprint of a scanned join code. */
  readonly joinCode: string | null
  readonly isPinned: (fingerprint: string) => Promise<boolean>
}

export type Verdict =
  | { readonly kind: 'trusted'; readonly fingerprint: string; readonly isOwner: boolean; readonly login: Login }
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
    return { kind: 'trusted', fingerprint: server.fingerprint, isOwner: true, login }
  }
  const issuer = issuerPem === undefined ? null : await parseCertificate(issuerPem)
  if (!(issuer && (await issuedBy(server, issuer)))) {
    return refused('This server does not show who owns it. Ask its owner to check its certificate.')
  }
  if (known.joinCode === server.fingerprint || (await known.isPinned(server.fingerprint))) {
    return { kind: 'trusted', fingerprint: server.fingerprint, isOwner: false, login }
  }
  if (known.joinCode !== null) {
    return refused('This server is not the one whose code you scanned. Scan the code on its screen again, or open its address without a code.')
  }
  return { kind: 'unknown', fingerprint: server.fingerprint, owner: issuer.callsign }
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason }
}
