/**
 * The statements of one call: what we sign, and what of theirs counts (docs/protocol/conversation.md).
 *
 * A description counts when it names one DTLS certificate, was signed for us by the key that the other end
 * is known by, belongs to this call and comes later than what came before. Within a call that certificate
 * stays the same. Once the browsers are connected, each end confirms which offer and which answer it saw,
 * so that nobody can pass off another's description as their own.
 *
 * Invariant: what is recorded of a call changes only by `sign` and `use`, never by what was refused.
 */
import type { Proof } from '../../model'
import { fromBase64Url, randomBytes, sha256Hex, toBase64Url, utf8 } from '../bytes'
import type { CallStatement, SessionDescription } from '../signaling/messages'
import { type Call as CallFields, statement } from '../trust/statement'
import type { Refusal } from './reasons'
import { dtlsKeys } from './sdp'

/** An offer or an answer as it came. */
export interface Heard {
  readonly description: SessionDescription
  readonly statement: CallStatement | null
  /** The sender's certificate and those above it, as the server told them. */
  readonly chain: readonly string[]
}

/** The person at the other end, as the server told us of them. */
export interface Counterpart {
  readonly callsign: string
  /** The key that they proved to the server; null for guests. */
  readonly keyId: string | null
  /** How statements for them name them; null while they are away. */
  readonly receiver: string | null
}

/** What this browser signs with and believes. */
export interface Notary {
  /** False for a page on plain http: browsers give it no cryptography. */
  readonly canCheck: boolean
  /** Null for a guest. */
  signer(): Signer | null
  /** Whether a statement for this receiver is meant for us. */
  isUs(receiver: string): boolean
  /** Whose certificate comes first; null when it cannot be read. */
  signatory(chain: readonly string[]): Promise<Signatory | null>
}

export interface Signer {
  readonly callsign: string
  /** Of our certificate. */
  readonly fingerprint: string
  sign(text: string): Promise<string>
}

export interface Signatory {
  readonly callsign: string
  readonly fingerprint: string
  readonly keyId: string
  readonly proof: Proof
  verify(text: string, signature: string): Promise<boolean>
}

/** A description whose statement, if it had to have one, fits it. */
export interface Checked {
  readonly description: SessionDescription
  /** The DTLS certificate it names. */
  readonly key: string
  /** SHA-256 of its statement or, where it was not signed, of the SDP. */
  readonly digest: string
  readonly signed: { readonly callId: string; readonly counter: number; readonly by: Signatory } | null
}

/** Which offer and which answer made the call, by their digests. */
export interface Confirmation {
  readonly offer: string
  readonly answer: string
  /** Null from a guest. */
  readonly signature: string | null
}

/** A call that is over, and the counter of the last that was used of theirs. */
export interface Trace {
  readonly id: string
  readonly counter: number
}

/** An answer to an offer of ours that a later one has replaced: another is on its way. */
export type Superseded = 'superseded'

interface Sent {
  readonly sdp: string
  readonly digest: string
}

/** Offers that were said again, and pairs of offer and answer, of one call. */
const MOST_KEPT = 4
const FINGERPRINT = /^[0-9a-f]{64}$/

export function isRefusal(checked: Checked | Superseded | Refusal): checked is Refusal {
  return typeof checked === 'string' && checked !== 'superseded'
}

/** Looks at an offer by itself; which call it belongs to is a second question. */
export async function checkOffer(heard: Heard, from: Counterpart, notary: Notary): Promise<Checked | Refusal> {
  const [checked] = await check(heard, from, notary, [null])
  return checked
}

export class CallStatements {
  readonly #notary: Notary
  readonly #counterpart: () => Counterpart
  #id: string | null = null
  #counter = 0
  /** What we said last, to say the same again rather than anew. */
  #last: { readonly description: SessionDescription; readonly receiver: string; readonly signed: Promise<CallStatement> } | null = null
  /** Our offer as it was sent, and again, the newest last. */
  #offers: readonly Sent[] = []
  #answering: Checked | null = null
  #heard: { readonly counter: number; readonly digest: string } | null = null
  #theirKey: string | null = null
  #by: Signatory | null = null
  #pairs: readonly Omit<Confirmation, 'signature'>[] = []

  constructor(notary: Notary, counterpart: () => Counterpart) {
    this.#notary = notary
    this.#counterpart = counterpart
  }

  /** What is remembered of the call when it is over; null where they signed nothing. */
  get trace(): Trace | null {
    return this.#id !== null && this.#heard ? { id: this.#id, counter: this.#heard.counter } : null
  }

  /** Whether a description belongs to this call rather than to a new one. */
  continues({ key, signed }: Checked): boolean {
    if (this.#theirKey === null) return true
    return signed !== null && this.#id !== null ? signed.callId === this.#id : key === this.#theirKey
  }

  /** Whether it names the certificate that the other end has in this call. */
  hasTheirKey({ key }: Checked): boolean {
    return this.#theirKey === null || this.#theirKey === key
  }

  /** The statement for a description of ours; null for a guest's. What is said again is signed once. */
  sign(description: SessionDescription): Promise<CallStatement | null> {
    const { type, sdp } = description
    const signer = this.#notary.signer()
    const { receiver } = this.#counterpart()
    if (!signer || receiver === null) {
      this.#record(description, sha256(sdp))
      return Promise.resolve(null)
    }
    const last = this.#last
    if (last?.description.type === type && last.description.sdp === sdp && last.receiver === receiver) return last.signed
    this.#id ??= toBase64Url(randomBytes(16))
    const counter = ++this.#counter
    const fields: CallFields = {
      callId: this.#id,
      counter: String(counter),
      sender: signer.fingerprint,
      callsign: signer.callsign,
      receiver,
      sdp: sha256(sdp),
    }
    const offered = type === 'answer' ? sha256(this.#answering?.description.sdp ?? '') : null
    const text = textOf(fields, offered)
    this.#record(description, sha256(text))
    const { callId } = fields
    const signed = signer.sign(text).then((signature) => ({ callId, counter, to: receiver, signature, keyid: signer.fingerprint }))
    this.#last = { description, receiver, signed }
    return signed
  }

  /** Looks at an answer: it must be to our last offer. */
  async checkAnswer(heard: Heard): Promise<Checked | Superseded | Refusal> {
    const offers = [...this.#offers].reverse()
    const elsewhere = this.#notary.canCheck && heard.statement !== null && this.#id !== null && heard.statement.callId !== this.#id
    if (elsewhere) return 'other-call'
    if (offers.length === 0) return 'superseded'
    const [checked, which] = await check(heard, this.#counterpart(), this.#notary, offers.map(({ sdp }) => sdp))
    return !isRefusal(checked) && which > 0 ? 'superseded' : checked
  }

  /** Whether a description is to be used now, by what came before it in this call. */
  place({ key, digest, signed }: Checked): 'next' | 'repeated' | Refusal {
    if (this.#theirKey !== null && this.#theirKey !== key) return 'key-changed'
    if (!signed) return this.#by ? 'unsigned' : 'next'
    if (this.#theirKey !== null && this.#id !== null && this.#id !== signed.callId) return 'other-call'
    if (this.#by && this.#by.fingerprint !== signed.by.fingerprint) return 'other-signer'
    if (!this.#heard || signed.counter > this.#heard.counter) return 'next'
    return digest === this.#heard.digest ? 'repeated' : 'old'
  }

  /** It is used: from now on it is what the next one is compared with. */
  use(checked: Checked): void {
    const { description, key, digest, signed } = checked
    this.#theirKey = key
    if (signed) {
      this.#id = signed.callId
      this.#heard = { counter: signed.counter, digest }
      this.#by = signed.by
    }
    if (description.type === 'offer') {
      this.#answering = checked
      this.#offers = []
      return
    }
    const offer = this.#offers.at(-1)
    if (offer) this.#pair(offer.digest, digest)
  }

  /** Who signed; what is not signed proves nobody. */
  get proof(): Proof {
    if (this.#by) return this.#by.proof
    return { kind: this.#notary.canCheck || this.#counterpart().keyId === null ? 'no-key' : 'plain-page' }
  }

  /** Whether the other end signed its part, and so has to confirm. */
  get mustBeConfirmed(): boolean {
    return this.#by !== null
  }

  /** Ours, for the first message. */
  async confirmation(): Promise<Confirmation | null> {
    const pair = this.#pairs.at(-1)
    if (!pair) return null
    const signer = this.#notary.signer()
    return { ...pair, signature: signer ? await signer.sign(statement('call-confirm', pair)) : null }
  }

  /** Whether theirs names what we saw. From somebody who signed nothing it is worth nothing, and taken. */
  async isConfirmedBy({ offer, answer, signature }: Confirmation): Promise<boolean> {
    if (!this.#by) return true
    const seen = this.#pairs.some((pair) => pair.offer === offer && pair.answer === answer)
    return seen && signature !== null && this.#by.verify(statement('call-confirm', { offer, answer }), signature)
  }

  #record({ type, sdp }: SessionDescription, digest: string): void {
    if (type === 'offer') this.#offers = [...this.#offers.filter((offer) => offer.sdp !== sdp), { sdp, digest }].slice(-MOST_KEPT)
    else if (this.#answering) this.#pair(this.#answering.digest, digest)
  }

  #pair(offer: string, answer: string): void {
    this.#pairs = [...this.#pairs, { offer, answer }].slice(-MOST_KEPT)
  }
}

/** The outcome, and which of the offers (null: it is one itself) it fits, by its place. */
async function check(heard: Heard, from: Counterpart, notary: Notary, offers: readonly (string | null)[]): Promise<readonly [Checked | Refusal, number]> {
  const { description, statement: given, chain } = heard
  const [key, second] = dtlsKeys(description.sdp)
  if (key === undefined) return ['changed', 0]
  if (second !== undefined) return ['several-keys', 0]
  const unsigned: Checked = { description, key, digest: sha256(description.sdp), signed: null }
  if (!notary.canCheck) return [unsigned, 0]
  if (!given) return [from.keyId === null ? unsigned : 'unsigned', 0]
  if (!isStatement(given)) return ['changed', 0]
  const by = await notary.signatory(chain)
  if (!by || by.fingerprint !== given.keyid) return ['changed', 0]
  for (const [which, offered] of offers.entries()) {
    const fields: CallFields = {
      callId: given.callId,
      counter: String(given.counter),
      sender: by.fingerprint,
      callsign: by.callsign,
      receiver: given.to,
      sdp: sha256(description.sdp),
    }
    const text = textOf(fields, offered === null ? null : sha256(offered))
    if (!(await by.verify(text, given.signature))) continue
    // Whoever signed, it is not who the list of people says.
    if (from.keyId !== null && (by.keyId !== from.keyId || by.callsign !== from.callsign)) return ['other-signer', which]
    if (!notary.isUs(given.to)) return ['not-for-us', which]
    return [{ ...unsigned, digest: sha256(text), signed: { callId: given.callId, counter: given.counter, by } }, which]
  }
  return ['changed', 0]
}

function textOf(fields: CallFields, offered: string | null): string {
  return offered === null ? statement('offer', fields) : statement('answer', { ...fields, offered })
}

/** Whether its members can stand in a statement's text. */
function isStatement({ callId, counter, to, keyid, signature }: CallStatement): boolean {
  return (
    typeof callId === 'string' &&
    fromBase64Url(callId)?.length === 16 &&
    Number.isSafeInteger(counter) &&
    counter >= 0 &&
    typeof to === 'string' &&
    /^(?:[0-9a-f]{64}|guest:[0-9a-f]{16})$/.test(to) &&
    typeof keyid === 'string' &&
    FINGERPRINT.test(keyid) &&
    typeof signature === 'string'
  )
}

function sha256(text: string): string {
  return sha256Hex(utf8(text))
}
