/**
 * Certificates as the pages see them: asks the server, signs what our key has to say, and keeps what changes by
 * itself up to date.
 *
 * What needs cryptography is loaded when it is first used: most visitors never need it.
 */
import { effect, type ReadonlySignal, signal } from '@preact/signals'
import type {
  AddedRoots,
  AdviceList,
  CertificatePage,
  CertificateQuery,
  Certificates,
  CertificateView,
  Checked,
  Decisions,
  Effect,
  Endorsement,
  EndorsementRequest,
  Explanation,
  FoundInFile,
  LogCheck,
  LogPage,
  Mine,
  NewCode,
  OpenCode,
  Outcome,
  OwnBlacklist,
  Roots,
  Scope,
  Surroundings,
  Wish,
} from '../../model-certificates'
import { ApiProblem } from '../api'
import { toBase64 } from '../bytes'
import { Problem } from '../problem'
import { baseOf } from '../trust/callsign'
import type { Identity } from '../trust/identity'
import type { Store } from '../trust/store'
import { Becoming } from './becoming'
import type { Client } from './client'
import * as views from './views'
import type * as Wire from './wire'

/** What this part takes from the engine. */
export interface Host {
  readonly client: Client
  readonly store: Store
  readonly isVisible: () => boolean
  readonly identity: ReadonlySignal<Identity | null>
  /** The server certificate's fingerprint, as the server says. */
  readonly server: () => string | null
  /** The key in this browser is the owner's, and is logged in. */
  readonly isOwner: ReadonlySignal<boolean>
  /** We log in with this from now on. */
  readonly become: (identity: Identity) => Promise<void>
  readonly forget: () => Promise<void>
}

const PAGE = 50
/** Pages that a search may skip because nothing on them fits. */
const MAX_SKIPPED = 20
const LOOK_EVERY = 60_000

export class Authority implements Certificates {
  readonly waiting: ReadonlySignal<number>
  readonly request: Certificates['request']
  readonly #waiting = signal(0)
  readonly #host: Host
  readonly #becoming: Becoming

  constructor(host: Host) {
    this.#host = host
    this.#becoming = new Becoming(host)
    this.waiting = this.#waiting
    this.request = this.#becoming.view
    effect(() => {
      if (!host.isOwner.value) {
        this.#waiting.value = 0
        return
      }
      void this.decisions().catch(ignored)
      const timer = setInterval(() => {
        if (host.isVisible()) void this.decisions().catch(ignored)
      }, LOOK_EVERY)
      return () => clearInterval(timer)
    })
  }

  /** Goes on with what an earlier page began. */
  async resume(): Promise<void> {
    await this.#becoming.resume()
  }

  async list({ callsign, status, after }: CertificateQuery): Promise<CertificatePage> {
    const query = new URLSearchParams({ limit: String(PAGE) })
    // Calls are compared by the home call inside their decorations.
    const prefix = baseOf(callsign.toUpperCase().replaceAll(/[^A-Z0-9/]/g, ''))
    if (prefix !== '') query.set('prefix', prefix)
    if (status !== null) query.set('status', status)
    if (after !== null) query.set('after', after)
    for (let skipped = 0; ; skipped++) {
      const { body, next } = await this.#host.client.page<Wire.Summary[]>(`/api/certificates?${query}`)
      if (body.length > 0 || next === null || skipped === MAX_SKIPPED) return { certificates: body.map(views.summary), next }
      query.set('after', next)
    }
  }

  async get(fingerprint: string): Promise<CertificateView> {
    const wire = await this.#detail(fingerprint)
    const identity = this.#host.identity.peek()
    const mayBeOurs = identity !== null && wire.vouchedBy === identity.parsed.callsign
    return views.detail(wire, mayBeOurs && (await (await import('./own')).isByUs(wire.certificate, identity)))
  }

  async explain(fingerprint: string): Promise<Explanation> {
    return views.explanation(await this.#host.client.get<Wire.Explained>(`/api/certificates/${fingerprint}/explain`))
  }

  async around(fingerprint: string): Promise<Surroundings> {
    const { surroundings } = await import('./around')
    return surroundings(this.#host.client, fingerprint)
  }

  async mine(): Promise<Mine> {
    const { parsed } = this.#mine()
    const { fingerprint, keyId, callsign, pem } = parsed
    const [held, named] = await Promise.all([
      this.get(fingerprint).catch(unlessNotFound),
      this.#host.client.get<Wire.Summary[]>(`/api/certificates?callsign=${encodeURIComponent(callsign)}&status=trusted`),
    ])
    const others = named.filter((one) => one.keyId === keyId && one.fingerprint !== fingerprint)
    return { held, explanation: held && (await this.explain(fingerprint)), others: others.map(views.summary), pem }
  }

  async show(): Promise<void> {
    const identity = this.#mine()
    await this.#signed('POST', '/api/certificates', { certificate: identity.certificate, chain: identity.chain })
  }

  async adopt(fingerprint: string): Promise<void> {
    const { certificate, chain } = await this.#detail(fingerprint)
    const identity = await (await import('./own')).identityWith(certificate, chain, this.#mine())
    await this.#host.store.keepIdentity(identity)
    await this.#host.become(identity)
  }

  async withdraw(): Promise<void> {
    const identity = this.#mine()
    // The key can only be withdrawn where it is known.
    await this.show().catch(ignored)
    await this.#host.client.post('/api/tombstones', await (await import('./own')).withdrawal(identity))
    await this.#host.forget()
  }

  async changeKey(): Promise<void> {
    const identity = this.#mine()
    const { generation } = await this.#detail(identity.parsed.fingerprint)
    const { next, change } = await (await import('./own')).successorOf(identity, generation + 1)
    await this.#signed('POST', '/api/certificates', { certificate: next.certificate, chain: next.chain })
    // Two changes of one key would suspend both: the new key is kept before anybody hears of this one.
    await this.#host.store.keepIdentity(next)
    try {
      await this.#host.client.post('/api/rekeys', change)
    } catch (error) {
      if (!isUnanswered(error)) await this.#host.store.keepIdentity(identity)
      throw error
    }
    await this.#host.become(next)
  }

  async vouch(fingerprint: string, checked: Checked): Promise<void> {
    const identity = this.#mine()
    const { certificate } = await this.#detail(fingerprint)
    const word = await (await import('./own')).wordFor(certificate, checked, identity)
    await this.#signed('POST', '/api/certificates', { certificate: word.pem, chain: [identity.certificate, ...identity.chain] })
  }

  async takeBack(fingerprint: string): Promise<Effect> {
    const { certificate } = await this.#detail(fingerprint)
    const tombstone = await (await import('./own')).endOf(certificate, this.#mine())
    const { body } = await this.#host.client.post('/api/tombstones', tombstone)
    return views.effect((body as { effect: Wire.Effect }).effect)
  }

  async preview(fingerprint: string, scope: Scope): Promise<Effect> {
    return views.effect(await this.#signed<Wire.Effect>('GET', `/api/certificates/${fingerprint}/blacklist/preview?scope=${scope}`))
  }

  async blacklist(fingerprint: string, scope: Scope, reason: string): Promise<Effect> {
    return this.#decided(await this.#signed<Wire.Effect>('POST', `/api/certificates/${fingerprint}/blacklist`, { reason, scope }))
  }

  async unblacklist(fingerprint: string, scope: Scope): Promise<Effect> {
    return this.#decided(await this.#signed<Wire.Effect>('DELETE', `/api/certificates/${fingerprint}/blacklist?scope=${scope}`))
  }

  async blacklisted(): Promise<OwnBlacklist> {
    return views.ownBlacklist(await this.#signed<Wire.Entries>('GET', '/api/blacklist'))
  }

  async publishBlacklist(published: boolean): Promise<void> {
    await this.#signed('POST', '/api/blacklist', { published })
  }

  async advice(): Promise<AdviceList> {
    return views.advice(await this.#signed<Wire.Advised>('GET', '/api/blacklist/advice'))
  }

  async dismissAdvice(id: string): Promise<void> {
    await this.#signed('DELETE', `/api/blacklist/advice/${id}`)
  }

  async decisions(): Promise<Decisions> {
    const decisions = views.decisions(await this.#signed<Wire.Decisions>('GET', '/api/decisions'))
    const { requests, contested, disputes, awaiting } = decisions
    this.#waiting.value = requests.length + contested.length + disputes.length + awaiting.length
    return decisions
  }

  async approve(id: string, { method, licenceClass }: Checked): Promise<void> {
    const licenseClass = licenceClass.trim()
    await this.#signed('POST', `/api/requests/${id}/approve`, { method, ...(licenseClass && { licenseClass }) })
    await this.decisions()
  }

  async refuse(id: string, reason: string): Promise<void> {
    await this.#signed('POST', `/api/requests/${id}/refuse`, { reason })
    await this.decisions()
  }

  async acceptKey(callsign: string, keyId: string): Promise<Effect> {
    return this.#decided(await this.#signed<Wire.Effect>('POST', '/api/decisions/accept-key', { callsign, keyId }))
  }

  async chooseSuccessor(old: string, next: string): Promise<Effect> {
    return this.#decided(await this.#signed<Wire.Effect>('POST', '/api/decisions/successor', { old, new: next }))
  }

  async codes(): Promise<readonly OpenCode[]> {
    return views.codes(await this.#signed<Wire.Codes>('GET', '/api/codes'))
  }

  async makeCode(callsign: string, licenceClass: string): Promise<NewCode> {
    const licenseClass = licenceClass.trim()
    const made = await this.#signed<Wire.Code>('POST', '/api/codes', { callsign: callsign.trim().toUpperCase(), ...(licenseClass && { licenseClass }) })
    return { id: made.id, callsign: made.callsign, licenceClass: made.licenseClass ?? null, code: made.code }
  }

  async removeCode(id: string): Promise<void> {
    await this.#signed('DELETE', `/api/codes/${id}`)
  }

  async roots(): Promise<Roots> {
    return views.roots(await this.#host.client.get<Wire.Anchors>('/api/anchors'))
  }

  async readRoots(file: Blob, password: string): Promise<FoundInFile> {
    return views.foundInFile(await this.#signed<Wire.Found>('POST', '/api/anchors', { ...(await bundleOf(file, password)), note: '' }))
  }

  async addRoots(file: Blob, password: string, note: string, accept: readonly string[]): Promise<AddedRoots> {
    const { added, notAdded, effect: changed } = await this.#signed<Wire.Added>('POST', '/api/anchors', { ...(await bundleOf(file, password)), note, accept })
    return { added: added.length, notAdded, effect: this.#decided(changed) }
  }

  async removeRoot(fingerprint: string): Promise<Effect> {
    return this.#decided(await this.#signed<Wire.Effect>('DELETE', `/api/anchors/${fingerprint}`))
  }

  async log(after: string | null): Promise<LogPage> {
    return (await import('./log')).logPage(this.#host.client, after)
  }

  async checkLog(): Promise<LogCheck> {
    const server = this.#host.server()
    if (server === null) throw new Problem('The server has not said yet who it is. Try again in a moment.')
    return (await import('./log')).checkLog(this.#host.client, this.#host.store, server)
  }

  async exportLog(): Promise<Blob> {
    return new Blob([await this.#host.client.get<string>('/api/log/export')], { type: 'text/plain' })
  }

  redeem(wish: Wish, code: string): Promise<void> {
    return this.#becoming.redeem(wish, code)
  }

  proveByLotw(wish: Wish, file: Blob, password: string): Promise<Outcome> {
    return this.#becoming.proveByLotw(wish, file, password)
  }

  askOwner(wish: Wish, note: string): Promise<void> {
    return this.#becoming.askOwner(wish, note)
  }

  collectEndorsements(wish: Wish): Promise<void> {
    return this.#becoming.collect(wish)
  }

  addEndorsement(endorsement: Endorsement): Promise<void> {
    return this.#becoming.addEndorsement(endorsement)
  }

  sendEndorsements(): Promise<Outcome> {
    return this.#becoming.sendEndorsements()
  }

  abandon(): Promise<void> {
    return this.#becoming.abandon()
  }

  async endorse(request: EndorsementRequest): Promise<Endorsement> {
    return (await import('./own')).endorsementOf(request, this.#mine())
  }

  #detail(fingerprint: string): Promise<Wire.Detail> {
    return this.#host.client.get<Wire.Detail>(`/api/certificates/${fingerprint}`)
  }

  #signed<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    return this.#host.client.signed<T>(this.#host.identity.peek(), method, path, body)
  }

  #mine(): Identity {
    const identity = this.#host.identity.peek()
    if (!identity) throw new Problem('This needs an operator’s key, and this browser holds none.')
    return identity
  }

  /** Decisions settle others, and may bring new ones. */
  #decided(wire: Wire.Effect): Effect {
    void this.decisions().catch(ignored)
    return views.effect(wire)
  }
}

async function bundleOf(file: Blob, password: string): Promise<{ bundle: string; password?: string }> {
  if (file.size > MAX_BUNDLE) throw new Problem('This file is too large: certificates have a few kilobytes each.')
  const bytes = new Uint8Array(await file.arrayBuffer())
  return { bundle: toBase64(bytes), ...(password && { password }) }
}

/** As much as a request to the server may hold, in base64. */
const MAX_BUNDLE = 180 * 1024

function isUnanswered(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === 'unreachable'
}

function unlessNotFound(error: unknown): null {
  if (error instanceof ApiProblem && error.code === 'not-found') return null
  throw error
}

/** Asked again later, or said elsewhere. */
function ignored(): void {}
