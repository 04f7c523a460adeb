import { beforeEach, describe, expect, it } from 'vitest'
import type { Answer } from '../api'
import { ApiProblem } from '../api'
import type { Certificate } from '../trust/certificate'
import type { Identity } from '../trust/identity'
import { forServer, selfSigned, vouchFor } from '../trust/issue'
import { generateKeys } from '../trust/keys'
import { codeProof, freshNonce, statement } from '../trust/statement'
import { MemoryStore } from '../trust/store'
import { Becoming } from './becoming'
import { Client } from './client'

const CODE = 'MZXW6YTBOI7A2K4Q'
const wish = { callsign: ' k1abc', licenceClass: 'General' }

/** A server that issues for whoever shows the code, to whichever key. */
let serverKeys: CryptoKeyPair
let server: Certificate
let owner: Certificate
let store: MemoryStore
let became: Identity | null
let answer: (path: string, body: Record<string, never>) => Promise<Answer>
let asked: string[]

const nonce = freshNonce()

beforeEach(async () => {
  const ownerKeys = await generateKeys()
  serverKeys = await generateKeys()
  owner = await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null })
  server = await forServer(serverKeys.publicKey, owner, ownerKeys.privateKey)
  store = new MemoryStore()
  became = null
  asked = []
})

function becoming(): Becoming {
  const client = new Client('http://localhost:8080', async (path, init) => {
    asked.push(path)
    if (path === '/api/nonce') return ok({ nonce, tag: 'ham-server/-' })
    return answer(path, init?.body ? JSON.parse(String(init.body)) : {})
  })
  const become = async (identity: Identity) => {
    became = identity
  }
  return new Becoming({ client, store, isVisible: () => true, server: () => server.fingerprint, become })
}

function ok(body: unknown, status = 200): Answer {
  return { status, body, next: null }
}

/** What the server issues for the request that is stored in the browser. */
async function issue(callsign = 'K1ABC', key?: CryptoKey) {
  const request = await store.request()
  const publicKey = key ?? request?.publicKey
  if (!publicKey) throw new Error('the request is stored before it is sent')
  const certificate = await vouchFor(publicKey, { callsign, licenceClass: 'General' }, 'in-person', server, serverKeys.privateKey)
  return { certificate, body: { certificate: certificate.pem, chain: [server.pem, owner.pem] } }
}

describe('a code', () => {
  const proven = async (change: object = {}) => {
    const { certificate, body } = await issue()
    return ok({ ...body, proof: codeProof(CODE, statement('issued', { nonce, certificate: certificate.fingerprint })), ...change }, 201)
  }

  it('makes an operator, whose key can still be copied', async () => {
    let sent: Record<string, unknown> = {}
    answer = async (_path, body) => {
      sent = body
      return proven()
    }
    const way = becoming()
    await way.redeem(wish, 'mzxw-6ytb oi7a2k4q')
    expect(became?.parsed.callsign).toBe('K1ABC')
    expect(became?.exportable).not.toBeNull()
    expect((await store.identity())?.privateKey.extractable).toBe(false)
    expect(await store.request()).toBeNull()
    expect(way.view.value).toBeNull()
    const key = became?.parsed.keyId ?? ''
    expect(sent).toMatchObject({ callsign: 'K1ABC', licenseClass: 'General', proofOfLicense: { method: 'in-person', nonce } })
    expect((sent['proofOfLicense'] as { codeProof: string }).codeProof).toBe(codeProof(CODE, statement('issue', { nonce, key, callsign: 'K1ABC', class: 'General' })))
    expect(JSON.stringify(sent)).not.toContain(CODE)
  })

  it('is worth nothing to a server that does not know it', async () => {
    answer = () => proven({ proof: codeProof('AAAAAAAAAAAAAAAA', 'another text') })
    await expect(becoming().redeem(wish, CODE)).rejects.toThrow('not from the server that knows your code')
    expect(became).toBeNull()
    expect(await store.request()).toBeNull()
  })

  it('makes nobody of another’s certificate', async () => {
    answer = async () => {
      const { certificate, body } = await issue('W1AW')
      return ok({ ...body, proof: codeProof(CODE, statement('issued', { nonce, certificate: certificate.fingerprint })) }, 201)
    }
    await expect(becoming().redeem(wish, CODE)).rejects.toThrow('another key or callsign')
    expect(await store.identity()).toBeNull()
    expect(await store.request()).toBeNull()
  })

  it('that is refused leaves nothing behind', async () => {
    answer = async () => {
      throw new ApiProblem('wrong-code', 'The code does not fit.')
    }
    const way = becoming()
    await expect(way.redeem(wish, CODE)).rejects.toThrow('does not fit')
    expect(await store.request()).toBeNull()
    expect(way.view.value).toBeNull()
  })

  it('loses nothing when the answer is lost: the certificate is found later', async () => {
    answer = async () => {
      throw new ApiProblem('unreachable', 'gone')
    }
    const first = becoming()
    await expect(first.redeem(wish, CODE)).rejects.toThrow('gone')
    expect(first.view.value?.state).toBe('waiting')

    const { certificate, body } = await issue()
    answer = async (path) => {
      if (path.startsWith('/api/certificates?')) return ok([{ fingerprint: certificate.fingerprint, keyId: certificate.keyId }])
      return ok(body)
    }
    // The page was closed meanwhile.
    await becoming().resume()
    expect(became?.parsed.fingerprint).toBe(certificate.fingerprint)
  })
})

describe('a request to the owner', () => {
  it('waits, outlives the page, and becomes a certificate', async () => {
    answer = async (path) => (path === '/api/issue-certificate' ? ok({ request: { id: 'r1' } }, 202) : ok({ id: 'r1', state: 'waiting' }))
    const way = becoming()
    await way.askOwner(wish, ' the red van ')
    expect(way.view.value).toMatchObject({ state: 'waiting', callsign: 'K1ABC' })

    const { body } = await issue()
    answer = async () => ok({ id: 'r1', state: 'issued', ...body })
    await becoming().resume()
    expect(asked.at(-1)).toBe('/api/requests/r1')
    expect(became?.certificate).toBe(body.certificate)
  })

  it('that is refused says why, until it is given up', async () => {
    answer = async (path) => (path === '/api/issue-certificate' ? ok({ request: { id: 'r1' } }, 202) : ok({ id: 'r1', state: 'refused', reason: 'Come by.' }))
    await becoming().askOwner(wish, '')
    const later = becoming()
    await later.resume()
    expect(later.view.value).toMatchObject({ state: 'refused', reason: 'Come by.' })
    await later.abandon()
    expect(await store.request()).toBeNull()
  })

  it('for what is no callsign is not sent', async () => {
    await expect(becoming().askOwner({ callsign: 'N0CALL', licenceClass: '' }, '')).rejects.toThrow('not a callsign')
    expect(asked).toEqual([])
  })
})

describe('endorsements', () => {
  const word = (digit: string) => ({ keyId: digit.repeat(64), signature: 'A'.repeat(86) })

  it('are collected, one for each operator, and handed in together', async () => {
    const way = becoming()
    await way.collect(wish)
    for (const digit of ['1', '2', '2']) await way.addEndorsement(word(digit))
    await expect(way.sendEndorsements()).rejects.toThrow('3 operators')
    const later = becoming()
    await later.resume()
    await later.addEndorsement(word('3'))
    answer = async (_path, body) => {
      expect(body).toMatchObject({ proofOfLicense: { endorsements: [word('1'), word('2'), word('3')] } })
      return ok((await issue()).body, 201)
    }
    expect(await later.sendEndorsements()).toBe('issued')
    expect(became?.parsed.callsign).toBe('K1ABC')
  })

  it('that are refused are kept', async () => {
    const way = becoming()
    await way.collect(wish)
    for (const digit of ['1', '2', '3']) await way.addEndorsement(word(digit))
    answer = async () => {
      throw new ApiProblem('license-not-proven', 'Two of them stand below the same key.')
    }
    await expect(way.sendEndorsements()).rejects.toThrow('same key')
    expect(way.view.value).toMatchObject({ state: 'collecting', endorsedBy: ['1', '2', '3'].map((digit) => digit.repeat(64)) })
  })
})
