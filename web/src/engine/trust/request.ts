/**
 * A request for a certificate on its way: what has to outlive the page until somebody has decided.
 *
 * Invariant: its key is nobody's yet, so it is kept as it was made, to be written to a .p12 file once there is a
 * certificate for it. From then on only its sealed form is stored.
 */
import type { Endorsement } from '../../model-certificates'

export interface StoredRequest {
  readonly callsign: string
  readonly licenceClass: string | null
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly keyId: string
  /** PKCS#10, PEM. */
  readonly csr: string
  /** Where it waits at the server; null while no answer to it has come. */
  readonly id: string | null
  /** It was handed in, or we are about to. */
  readonly sent: boolean
  readonly endorsements: readonly Endorsement[]
  /** Milliseconds since 1970. */
  readonly since: number
}
