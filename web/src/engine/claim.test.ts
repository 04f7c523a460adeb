import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ClaimRequest } from '../model'
import { type Api, ApiProblem, type Claim, type Info } from './api'
import { toPem } from './bytes'
import { claim } from './claim'
import { issuedBy, parseCertificate } from './trust/certificate'
import { keyFileOf, makeIdentity } from './trust/identity'
import { exportPublicKey, generateKeys, keyIdOf } from './trust/keys'
import { MemoryStore } from './trust/store'

const request: ClaimRequest = {
  callsign: ' w1aw ',
  name: 'Hiram',
  grid: '',
  licenceClass: '',
  openToNetwork: true,
  key: 'new',
}

let store: MemoryStore
let serverKey: Uint8Array<ArrayBuffer>
let posted: Claim | null
let api: { [name in keyof Api]: ReturnType<typeof vi.fn<Api[name]>> }

beforeEach(async () => {
  store = new MemoryStore()
  serverKey = await exportPublicKey((await generateKeys()).publicKey)
  posted = null
  api = {
    info: vi.fn(async () => ({ certFingerprint: null }) as Info),
    claimStation: vi.fn(async () => ({ state: 'unclaimed' as const, publicKey: toPem('PUBLIC KEY', serverKey), codeRequired: false })),
    claim: vi.fn(async (document) => {
      posted = document
    }),
    nonce: vi.fn<Api['nonce']>(),
    network: vi.fn<Api['network']>(),
  }
})

const certificates = async () => {
  const [operator, server] = await Promise.all([
    parseCertificate(posted?.certificate ?? ''),
    parseCertificate(posted?.serverCertificate ?? ''),
  ])
  if (!operator || !server) throw new Error('both are certificates')
  return { operator, server }
}

describe('claiming', () => {
  it('hands over two certificates, the server’s own key certified by the operator’s', async () => {
    const { result, identity } = await claim(request, api, store)
    expect(result).toEqual({ ok: true })
    const { operator, server } = await certificates()
    expect(operator.callsign).toBe('W1AW')
    expect(server.keyId).toBe(keyIdOf(serverKey))
    expect(await issuedBy(server, operator)).toBe(true)
    expect(posted?.station).toEqual({ callsign: 'W1AW', metadata: { name: 'Hiram' } })
    expect(identity?.exportable).not.toBeNull()
    expect((await store.identity())?.certificate).toBe(posted?.certificate)
    expect(await store.isPinned(server.fingerprint)).toBe(true)
  })

  it('works with the key of a file', async () => {
    const mine = await makeIdentity({ callsign: 'W1AW', licenceClass: null })
    const file = new Blob([(await keyFileOf(mine, 'secret')) ?? ''])
    const { result } = await claim({ ...request, key: { file, password: 'secret' } }, api, store)
    expect(result).toEqual({ ok: true })
    expect((await certificates()).operator.fingerprint).toBe(mine.parsed.fingerprint)

    const wrong = await claim({ ...request, key: { file, password: 'no' } }, api, store)
    expect(wrong.result).toEqual({ ok: false, field: 'key', problem: 'The password does not fit this file.' })
    const other = await claim({ ...request, callsign: 'K1ABC', key: { file, password: 'secret' } }, api, store)
    expect(other.result).toMatchObject({ ok: false, field: 'callsign', problem: expect.stringContaining('W1AW') })
  })

  it('stores the key before the server hears of it', async () => {
    api.claim.mockImplementation(async (document) => {
      expect((await store.identity())?.certificate).toBe(document.certificate)
    })
    expect((await claim(request, api, store)).result).toEqual({ ok: true })
  })

  it('forgets the new key when the server refuses, and keeps the one from before', async () => {
    api.claim.mockRejectedValue(new ApiProblem('already-claimed', 'W1AW has claimed this server already.'))
    const { result } = await claim(request, api, store)
    expect(result).toEqual({ ok: false, field: null, problem: 'W1AW has claimed this server already.' })
    expect(await store.identity()).toBeNull()
    const mine = await makeIdentity({ callsign: 'K1ABC', licenceClass: null })
    await store.keepIdentity(mine)
    await claim(request, api, store)
    expect((await store.identity())?.certificate).toBe(mine.certificate)
  })

  it('succeeds when only the answer was lost', async () => {
    api.claim.mockImplementation(async (document) => {
      posted = document
      throw new ApiProblem('unreachable', 'The server does not answer.')
    })
    api.info.mockImplementation(async () => ({ certFingerprint: (await certificates()).server.fingerprint }) as Info)
    expect((await claim(request, api, store)).result).toEqual({ ok: true })
  })

  it('keeps the key while nobody knows whether the server took it', async () => {
    api.claim.mockRejectedValue(new ApiProblem('unreachable', 'The server does not answer.'))
    expect((await claim(request, api, store)).result).toMatchObject({ ok: false })
    expect(await store.identity()).not.toBeNull()
  })

  it.each([
    ['callsign-mismatch', 'callsign'],
    ['bad-grid', 'grid'],
    ['bad-name', 'name'],
    ['bad-certificate', null],
  ])('points at the input of %s', async (code, field) => {
    api.claim.mockRejectedValue(new ApiProblem(code, 'A sentence.'))
    expect((await claim(request, api, store)).result).toEqual({ ok: false, field, problem: 'A sentence.' })
  })

  it('says where to go when the code on the console is needed', async () => {
    api.claimStation.mockResolvedValue({ state: 'unclaimed', publicKey: '', codeRequired: true })
    const { result } = await claim(request, api, store)
    expect(result).toMatchObject({ ok: false, problem: expect.stringContaining('ham-server claim --url') })
  })
})
