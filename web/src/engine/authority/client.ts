/** Asks the server about certificates, signed where it has to be known who asks. */
import type { Nonce } from '../../wire/http'
import { type Answer, exchange } from '../api'
import { Problem } from '../problem'
import type { Asked } from '../signed'
import type { Identity } from '../trust/identity'

/** Who signs: a certificate and its key. */
export type Signer = Pick<Identity, 'parsed' | 'privateKey'>

export class Client {
  readonly #origin: string
  readonly #exchange: typeof exchange

  constructor(origin: string, through = exchange) {
    this.#origin = origin
    this.#exchange = through
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#exchange(path)).body as T
  }

  /** One page of a list, and where the next begins. */
  async page<T>(path: string): Promise<{ readonly body: T; readonly next: string | null }> {
    const { body, next } = await this.#exchange(path)
    return { body: body as T, next: next === null ? null : new URL(next, this.#origin).searchParams.get('after') }
  }

  async post(path: string, body: object): Promise<Answer> {
    return this.#exchange(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  }

  async signed<T>(signer: Signer | null, method: Asked['method'], path: string, body?: object): Promise<T> {
    if (!signer) throw new Problem('This needs an operator’s key, and this browser holds none.')
    const text = body === undefined ? undefined : JSON.stringify(body)
    const [{ signedHeaders }, offer] = await Promise.all([import('../signed'), this.get<Nonce>('/api/nonce')])
    const asked = { method, target: this.#origin + path, ...(text === undefined ? {} : { body: text }) }
    const headers = { 'content-type': 'application/json', ...(await signedHeaders(signer, asked, offer)) }
    const answer = await this.#exchange(path, { method, headers, ...(text === undefined ? {} : { body: text }) })
    return answer.body as T
  }
}
