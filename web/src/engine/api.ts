/**
 * The server's HTTP interface (docs/protocol/http.md), as far as the app uses it. Failures are
 * `ApiProblem`s: the server's own sentence and stable code, or ours when it cannot be reached.
 */
import type * as Wire from '../wire/http'
import { Problem } from './problem'

/** Of what the server says, what the app uses. */
export type Info = Pick<
  Wire.Info,
  'version' | 'callsign' | 'state' | 'certFingerprint' | 'station' | 'addresses' | 'secure' | 'zone' | 'local' | 'guestCalls'
>
export type ClaimStation = Pick<Wire.ClaimOffer, 'state' | 'publicKey' | 'codeRequired'>
export type Claim = Required<Pick<Wire.ClaimRequest, 'certificate' | 'chain' | 'serverCertificate' | 'openToNetwork'>> &
  Pick<Wire.ClaimRequest, 'station'>

export class ApiProblem extends Problem {
  /** `unreachable` when there was no answer; otherwise the server's. */
  readonly code: string

  constructor(code: string, sentence: string) {
    super(sentence)
    this.code = code
  }
}

export interface Api {
  /** What the server at this address says of itself; without one, the page's own. */
  info(endpoint?: string): Promise<Info>
  claimStation(): Promise<ClaimStation>
  claim(claim: Claim): Promise<void>
  nonce(): Promise<Wire.Nonce>
  /** What the owner decides about the people on the network: a signed request. */
  network(body: string, signature: Readonly<Record<string, string>>): Promise<void>
}

/** Where the signed request of `network` goes: the path is part of what is signed. */
export const NETWORK_PATH = '/api/network'

const ANSWER_WITHIN = 10_000
const NO_CONTENT = 204

export const api: Api = {
  info: (endpoint = '') => call<Info>(`${endpoint}/api/info`),
  claimStation: () => call<ClaimStation>('/api/claim-station'),
  async claim(claim) {
    await post('/api/claim-station', JSON.stringify(claim))
  },
  nonce: () => call<Wire.Nonce>('/api/nonce'),
  async network(body, signature) {
    await post(NETWORK_PATH, body, signature)
  },
}

function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  return call(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
}

async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await exchange(path, init)).body as T
}

/** An answer that is no refusal. */
export interface Answer {
  readonly status: number
  /** JSON, text where the server says so, or nothing. */
  readonly body: unknown
  /** The path of the next page of a list (RFC 8288), null on the last. */
  readonly next: string | null
}

/** One request. Rejects with an `ApiProblem`. */
export async function exchange(path: string, init: RequestInit = {}): Promise<Answer> {
  let response: Response
  let body: unknown
  try {
    response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN), ...init })
    const isText = response.headers.get('content-type')?.startsWith('text/') ?? false
    body = response.status === NO_CONTENT ? null : await (isText ? response.text() : response.json())
  } catch {
    throw new ApiProblem('unreachable', 'The server does not answer. Check that it is switched on and that you are on its network.')
  }
  if (response.ok) return { status: response.status, body, next: nextPage(response.headers.get('link')) }
  const { code, error } = (body ?? {}) as { code?: unknown; error?: unknown }
  throw new ApiProblem(
    typeof code === 'string' ? code : `http-${response.status}`,
    typeof error === 'string' ? error : `The server refused this (HTTP ${response.status}).`,
  )
}

function nextPage(link: string | null): string | null {
  return /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1] ?? null
}
