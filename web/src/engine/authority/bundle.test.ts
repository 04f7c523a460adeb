import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { ApiProblem } from '../api'
import type { Certificate } from '../trust/certificate'
import { forServer, selfSigned } from '../trust/issue'
import { generateKeys, signStatement } from '../trust/keys'
import { MemoryStore } from '../trust/store'
import { readBundle } from './bundle'
import { Client } from './client'
import { Hearing } from './hearing'
import type { Bundle } from './wire'

let serverKeys: CryptoKeyPair
let server: Certificate
let other: Certificate
let bundle: Bundle

const hex = (letter: string) => letter.repeat(64)

/** What docs/protocol/http.md says is signed, written out anew. */
function signedText({ server: by, timestamp, certificates, blacklisted, tombstones, rekeys }: Omit<Bundle, 'signature'>, fingerprints: readonly string[]): string {
  expect(fingerprints).toHaveLength(certificates.length)
  const lines = [
    ...fingerprints.map((one) => `certificate ${one}`),
    ...blacklisted.map((one) => `blacklisted ${one}`),
    ...tombstones.map((one) => `tombstone ${one.target} ${one.signer} ${one.signature}`),
    ...rekeys.map((one) => `rekey ${one.old} ${one.new} ${one.callsign} ${one.generation} ${one.byOld} ${one.byNew}`),
  ]
  const listing = createHash('sha256').update(lines.join('\n')).digest('hex')
  return ['ham-server/1 trust-bundle', by, String(timestamp), listing].join('\n')
}

beforeAll(async () => {
  const ownerKeys = await generateKeys()
  serverKeys = await generateKeys()
  const owner = await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null })
  server = await forServer(serverKeys.publicKey, owner, ownerKeys.privateKey)
  other = await selfSigned(await generateKeys(), { callsign: 'K1ABC', licenceClass: null })
  const told = {
    server: server.fingerprint,
    timestamp: 1_790_000_000,
    certificates: [owner.pem, server.pem],
    blacklisted: [hex('1'), hex('2')],
    tombstones: [{ target: hex('3'), signer: hex('4'), signature: 'A'.repeat(86) }],
    rekeys: [{ old: hex('5'), new: hex('6'), callsign: 'K1ABC', generation: 1, byOld: 'B'.repeat(86), byNew: 'C'.repeat(86) }],
  }
  bundle = { ...told, signature: await signStatement(serverKeys.privateKey, signedText(told, [owner.fingerprint, server.fingerprint])) }
})

describe('a trust bundle', () => {
  it('is read as its server signed it', async () => {
    const told = await readBundle(bundle, server.fingerprint, server.pem)
    expect(told).toEqual({ distrusted: bundle.blacklisted, tombstones: bundle.tombstones, rekeys: bundle.rekeys })
  })

  it('says nothing with anything changed, left out, added or put in another order', async () => {
    const [tombstone] = bundle.tombstones
    const [change] = bundle.rekeys
    const changes: readonly Partial<Bundle>[] = [
      { timestamp: bundle.timestamp + 1 },
      { certificates: bundle.certificates.slice(1) },
      { certificates: [...bundle.certificates, other.pem] },
      { blacklisted: [] },
      { blacklisted: [...bundle.blacklisted].reverse() },
      { blacklisted: [...bundle.blacklisted, hex('7')] },
      { tombstones: [] },
      { tombstones: tombstone ? [{ ...tombstone, signer: hex('8') }] : [] },
      { rekeys: change ? [{ ...change, generation: 2 }] : [] },
      { signature: 'A'.repeat(86) },
      { server: other.fingerprint },
    ]
    for (const part of changes) expect(await readBundle({ ...bundle, ...part }, server.fingerprint, server.pem)).toBeNull()
    expect(await readBundle(bundle, other.fingerprint, other.pem)).toBeNull()
    expect(await readBundle(bundle, server.fingerprint, other.pem)).toBeNull()
  })
})

describe('what a server tells of keys', () => {
  const hearing = (store: MemoryStore, asked: string[], answer: () => unknown = () => bundle) =>
    new Hearing(
      new Client('http://localhost:8080', async (path) => {
        asked.push(path)
        const body = path === '/api/trust-bundle' ? answer() : { certificate: server.pem }
        if (body === null) throw new ApiProblem('unreachable', 'gone')
        return { status: 200, body, next: null }
      }),
      store,
    )

  it('is heard once from a server that was accepted, and kept', async () => {
    const store = new MemoryStore()
    await store.pin(server.fingerprint)
    const asked: string[] = []
    const heard = hearing(store, asked)
    expect(await heard.distrusted(server.fingerprint)).toEqual(bundle.blacklisted)
    expect(await heard.distrusted(server.fingerprint)).toEqual(bundle.blacklisted)
    expect(asked.filter((path) => path === '/api/trust-bundle')).toHaveLength(1)
    expect((await store.statements()).tombstones).toEqual(bundle.tombstones)
  })

  it('is not even asked of a server that nobody accepted, nor before a server is known', async () => {
    const asked: string[] = []
    const heard = hearing(new MemoryStore(), asked)
    expect(await heard.distrusted(server.fingerprint)).toEqual([])
    expect(await heard.distrusted(null)).toEqual([])
    expect(asked).toEqual([])
  })

  it('counts for nothing unless signed, and a lost answer is no error', async () => {
    const store = new MemoryStore()
    await store.pin(server.fingerprint)
    expect(await hearing(store, [], () => ({ ...bundle, blacklisted: [] })).distrusted(server.fingerprint)).toEqual([])
    expect((await store.statements()).tombstones).toEqual([])
    expect(await hearing(store, [], () => null).distrusted(server.fingerprint)).toEqual([])
  })
})
