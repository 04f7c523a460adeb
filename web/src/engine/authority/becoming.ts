/**
 * The way from guest to operator: a key made here, a request for it, and whatever decides about it.
 *
 * Invariants: the key is stored before the server hears of it, so that no answer can be for a key that is gone;
 * it is let go only when the server has refused. A request that waits outlives the page.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { Endorsement, Outcome, RequestView, Wish } from '../../model-certificates'
import { type Answer, ApiProblem } from '../api'
import { Problem } from '../problem'
import type { Identity } from '../trust/identity'
import type { StoredRequest } from '../trust/request'
import type { Store } from '../trust/store'
import type { Client } from './client'
import type { Detail, Issued, RequestState, Summary, Waits } from './wire'

export interface Applicant {
  readonly client: Client
  readonly store: Store
  readonly isVisible: () => boolean
  /** The fingerprint of the server's certificate. */
  readonly server: () => string | null
  /** We hold a certificate from now on. */
  readonly become: (identity: Identity) => Promise<void>
}

/** Enough to be believed (docs/protocol/http.md). */
export const ENDORSEMENTS = 3
const ASK_EVERY = 5_000

export class Becoming {
  readonly view: ReadonlySignal<RequestView | null>
  readonly #view = signal<RequestView | null>(null)
  readonly #applicant: Applicant
  #request: StoredRequest | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(applicant: Applicant) {
    this.view = this.#view
    this.#applicant = applicant
  }

  /** Goes on with a request from an earlier page. */
  async resume(): Promise<void> {
    this.#show(await this.#applicant.store.request().catch(() => null), null)
    if (this.#request?.sent) await this.#ask()
  }

  async redeem(wish: Wish, code: string): Promise<void> {
    const { codeProof, fingerprintOf, newRequest, statement } = await import('./request')
    const request = await newRequest(wish)
    const nonce = await this.#nonce()
    const { keyId: key, callsign, licenceClass } = request
    const proof = codeProof(code, statement('issue', { nonce, key, callsign, class: licenceClass }))
    await this.#submit(request, { method: 'in-person', nonce, codeProof: proof }, ({ certificate, proof: answered }) => {
      if (answered !== codeProof(code, statement('issued', { nonce, certificate: fingerprintOf(certificate) }))) {
        throw new Problem('The answer is not from the server that knows your code: somebody may stand in between. Nothing was kept. Ask for another code, and show this to the owner.')
      }
    })
  }

  async proveByLotw(wish: Wish, file: Blob, password: string): Promise<Outcome> {
    const [{ newRequest, statement }, { lotwProof }] = await Promise.all([import('./request'), import('./lotw')])
    const server = this.#applicant.server()
    if (server === null) throw new Problem('The server has not said yet who it is. Try again in a moment.')
    const request = await newRequest(wish)
    const nonce = await this.#nonce()
    const { keyId: key, callsign, licenceClass } = request
    const text = statement('lotw', { server, nonce, key, callsign, class: licenceClass })
    const proof = await lotwProof(new Uint8Array(await file.arrayBuffer()), password, callsign, text)
    return this.#submit(request, { method: 'lotw', nonce, ...proof })
  }

  async askOwner(wish: Wish, note: string): Promise<void> {
    const { newRequest } = await import('./request')
    await this.#submit(await newRequest(wish), { method: 'document', note: note.trim() })
  }

  async collect(wish: Wish): Promise<void> {
    const { newRequest } = await import('./request')
    await this.#keep(await newRequest(wish))
  }

  async addEndorsement(endorsement: Endorsement): Promise<void> {
    const request = this.#request
    if (!request || request.sent) throw new Problem('No request in this browser waits for endorsements. Open the app where the request was begun.')
    const others = request.endorsements.filter(({ keyId }) => keyId !== endorsement.keyId)
    await this.#keep({ ...request, endorsements: [...others, endorsement].slice(-ENDORSEMENTS) })
  }

  async sendEndorsements(): Promise<Outcome> {
    const request = this.#request
    if (!request || request.endorsements.length < ENDORSEMENTS) throw new Problem(`It takes the word of ${ENDORSEMENTS} operators.`)
    return this.#submit(request, { method: 'endorsements', vouchedMethod: 'in-person', endorsements: request.endorsements })
  }

  async abandon(): Promise<void> {
    await this.#applicant.store.forgetRequest()
    this.#show(null, null)
  }

  /** Hands a request in. `check` looks at a certificate that comes back at once. */
  async #submit(request: StoredRequest, proofOfLicense: object, check: (issued: Issued) => void = () => undefined): Promise<Outcome> {
    const before = this.#request
    const { csr, callsign, licenceClass } = request
    const sent = { ...request, sent: true }
    await this.#applicant.store.keepRequest(sent)
    // The page stays as it is until there is an answer: a refusal is told where the person typed.
    this.#request = sent
    let answer: Answer
    try {
      const licenseClass = licenceClass === null ? {} : { licenseClass: licenceClass }
      answer = await this.#applicant.client.post('/api/issue-certificate', { csr, callsign, ...licenseClass, proofOfLicense })
      if (answer.status === 201) {
        check(answer.body as Issued)
        await this.#become(answer.body as Issued)
        return 'issued'
      }
    } catch (error) {
      // Without an answer nobody knows whether a certificate was issued: then the key is kept, and asked about.
      if (error instanceof ApiProblem && error.code === 'unreachable') {
        this.#show(sent, null)
        this.#askLater()
      } else await (before ? this.#keep(before) : this.abandon())
      throw error
    }
    const { id, why } = (answer.body as Waits).request
    await this.#keep({ ...sent, id })
    this.#show(this.#request, null, why)
    this.#askLater()
    return 'waits'
  }

  async #become(issued: Pick<Issued, 'certificate' | 'chain'>): Promise<void> {
    const request = this.#request
    if (!request) return
    const { identityFrom } = await import('./request')
    const identity = await identityFrom(issued, request)
    await this.#applicant.store.keepIdentity(identity)
    await this.abandon()
    await this.#applicant.become(identity)
  }

  async #nonce(): Promise<string> {
    const { nonce } = await this.#applicant.client.get<{ nonce: string }>('/api/nonce')
    if (!/^[\w-]{43}$/.test(nonce)) throw new Problem('The server asks for a proof in a form this app does not know. Reload the page.')
    return nonce
  }

  #askLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), ASK_EVERY)
  }

  /** What became of it. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer)
    const request = this.#request
    if (!request?.sent) return
    try {
      const { state, reason, certificate, chain } = this.#applicant.isVisible() ? await this.#fate(request) : WAITS
      if (request !== this.#request) return
      if (state === 'waiting') this.#show(request, null, reason ?? null)
      if (state === 'refused') return this.#show(request, reason ?? 'The owner gave no reason.')
      if (state === 'issued' && certificate && chain) return await this.#become({ certificate, chain })
    } catch (error) {
      if (error instanceof ApiProblem && error.code === 'not-found') {
        return this.#show(request, 'The server no longer knows this request. Ask again.')
      }
      if (error instanceof Problem && !(error instanceof ApiProblem)) return this.#show(request, error.message)
    }
    this.#askLater()
  }

  async #fate(request: StoredRequest): Promise<Pick<RequestState, 'state' | 'reason' | 'certificate' | 'chain'>> {
    const { client } = this.#applicant
    if (request.id !== null) return client.get<RequestState>(`/api/requests/${request.id}`)
    // The answer was lost; a certificate for our key can only have been made for us.
    const held = await client.get<Summary[]>(`/api/certificates?callsign=${encodeURIComponent(request.callsign)}&limit=500`)
    const ours = held.find(({ keyId }) => keyId === request.keyId)
    if (!ours) return { state: 'refused', reason: 'The connection broke before the server answered, and it has issued nothing. Try again.', certificate: null, chain: [] }
    const { certificate, chain } = await client.get<Detail>(`/api/certificates/${ours.fingerprint}`)
    return { state: 'issued', reason: null, certificate, chain }
  }

  async #keep(request: StoredRequest): Promise<void> {
    await this.#applicant.store.keepRequest(request)
    this.#show(request, null)
  }

  /** `refused` says why there will be no certificate, `why` what it waits for. */
  #show(request: StoredRequest | null, refused: string | null, why: string | null = null): void {
    this.#request = request
    if (!request || refused !== null) clearTimeout(this.#timer)
    this.#view.value = request && {
      callsign: request.callsign,
      licenceClass: request.licenceClass,
      keyId: request.keyId,
      since: request.since,
      state: refused !== null ? 'refused' : request.sent ? 'waiting' : 'collecting',
      reason: refused ?? why,
      endorsedBy: request.endorsements.map(({ keyId }) => keyId),
    }
  }
}

const WAITS = { state: 'waiting', reason: null, certificate: null, chain: [] as readonly string[] } as const
