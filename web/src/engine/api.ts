/**
 * The server's HTTP interface (docs/protocol/http.md), as far as the app uses it. Failures are
 * `ApiProblem`s: the server's own sentence and stable code, or ours when it cannot be reached.
 */
import { Problem } from './problem'

export interface Info {
  readonly version: string
  readonly callsign: string | null
  readonly state: 'unclaimed' | 'claimed' | 'active'
  readonly certFingerprint: string | null
  readonly station: { readonly name?: string | null; readonly grid?: string | null } | null
  readonly addresses: readonly string[]
  readonly local: boolean
}

export interface ClaimStation {
  readonly state: Info['state']
  /** PEM. */
  readonly publicKey: string
  readonly codeRequired: boolean
}

export interface Claim {
  readonly certificate: string
  readonly chain: readonly string[]
  readonly serverCertificate: string
  readonly station: {
    readonly callsign: string
    readonly metadata: { readonly name?: string; readonly grid?: string; readonly licenseClass?: string }
  }
  readonly openToNetwork: boolean
}

export class ApiProblem extends Problem {
  /** `unreachable` when there was no answer; otherwise the server's. */
  readonly code: string

  constructor(code: string, sentence: string) {
    super(sentence)
    this.code = code
  }
}

export interface Api {
  info(): Promise<Info>
  claimStation(): Promise<ClaimStation>
  claim(claim: Claim): Promise<void>
}

const ANSWER_WITHIN = 10_000

export const api: Api = {
  info: () => call<Info>('/api/info'),
  claimStation: () => call<ClaimStation>('/api/claim-station'),
  async claim(claim) {
    await call('/api/claim-station', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(claim),
    })
  },
}

async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  let body: unknown
  try {
    response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN), ...init })
    body = await response.json()
  } catch {
    throw new ApiProblem('unreachable', 'The server does not answer. Check that it is switched on and that you are on its network.')
  }
  if (response.ok) return body as T
  const { code, error } = (body ?? {}) as { code?: unknown; error?: unknown }
  throw new ApiProblem(
    typeof code === 'string' ? code : `http-${response.status}`,
    typeof error === 'string' ? error : `The server refused this (HTTP ${response.status}).`,
  )
}
