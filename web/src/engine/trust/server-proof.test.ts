import { beforeAll, describe, expect, it } from 'vitest'
import { type Certificate, identityUnder } from './certificate'
import { NO_STATEMENTS } from './heard'
import { forServer, selfSigned, vouchFor } from './issue'
import { generateKeys, signStatement } from './keys'
import { judge, type Knowledge } from './server-proof'
import { freshNonce, type Login, statement } from './statement'

const URL_DIALLED = 'ws://192.168.1.100:8080/signal'
const dialled = { clientNonce: freshNonce(), serverNonce: freshNonce(), url: URL_DIALLED }

let ownerKeys: CryptoKeyPair
let owner: Certificate
let visitor: Certificate
let serverKeys: CryptoKeyPair
let server: Certificate
let known: Knowledge

beforeAll(async () => {
  ownerKeys = await generateKeys()
  owner = await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null })
  visitor = await selfSigned(await generateKeys(), { callsign: 'K1ABC', licenceClass: null })
  serverKeys = await generateKeys()
  server = await forServer(serverKeys.publicKey, owner, ownerKeys.privateKey)
  known = { mine: visitor, chain: [], joinCode: null, isPinned: async () => false, statements: async () => NO_STATEMENTS, owner: null, distrusted: [] }
})

async function proof(client: Certificate, change: Partial<Login> = {}, key = serverKeys.privateKey) {
  const login: Login = { ...dialled, server: server.fingerprint, client: client.fingerprint, ...change }
  return { chain: [server.pem, owner.pem], signature: await signStatement(key, statement('server-proof', login)) }
}

describe('a server that proves itself', () => {
  it('is shown before it is trusted, when nothing is known of it', async () => {
    expect(await judge(await proof(visitor), dialled, known)).toEqual({
      kind: 'unknown',
      fingerprint: server.fingerprint,
      owner: 'W1AW',
    })
  })

  it('is trusted by its join code, by a pin, or by the signature of my own key', async () => {
    const byCode = await judge(await proof(visitor), dialled, { ...known, joinCode: server.fingerprint })
    expect(byCode).toMatchObject({ kind: 'trusted', isOwner: false })
    const byPin = await judge(await proof(visitor), dialled, { ...known, isPinned: async (f) => f === server.fingerprint })
    expect(byPin).toMatchObject({ kind: 'trusted', isOwner: false })
    const mine = await judge(await proof(owner), dialled, { ...known, mine: owner })
    expect(mine).toMatchObject({ kind: 'trusted', isOwner: true })
  })

  it('is trusted by a path to my own root, until a key on it is withdrawn', async () => {
    const keys = await generateKeys()
    const mine = await vouchFor(keys.publicKey, { callsign: 'K1ABC', licenceClass: null }, 'in-person', owner, ownerKeys.privateKey)
    const below = { ...known, mine, chain: [owner.pem] }
    expect(await judge(await proof(mine), dialled, below)).toMatchObject({ kind: 'trusted', isOwner: false })

    const target = identityUnder(server, owner.spki)
    const words = statement('tombstone', { signer: owner.keyId, target })
    const tombstone = { target, signer: owner.keyId, signature: await signStatement(ownerKeys.privateKey, words) }
    const heard = { ...below, statements: async () => ({ tombstones: [tombstone], rekeys: [] }) }
    expect(await judge(await proof(mine), dialled, heard)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('withdrawn') })
    // Also where it was accepted before.
    expect(await judge(await proof(mine), dialled, { ...heard, isPinned: async () => true })).toMatchObject({ kind: 'refused' })
  })

  it('is not distrusted because another server’s owner says so', async () => {
    const told = { ...known, joinCode: server.fingerprint, distrusted: [identityUnder(server, owner.spki)] }
    expect(await judge(await proof(visitor), dialled, told)).toMatchObject({ kind: 'trusted' })
  })

  it('is refused when another code was scanned', async () => {
    const verdict = await judge(await proof(visitor), dialled, { ...known, joinCode: '0'.repeat(64) })
    expect(verdict).toMatchObject({ kind: 'refused', reason: expect.stringContaining('not the one whose code') })
  })
})

describe('a proof that is not for us', () => {
  it.each([
    ['another URL', { url: 'ws://10.0.0.7:8080/signal' }],
    ['an old nonce', { clientNonce: freshNonce() }],
    ['another client', { client: 'f'.repeat(64) }],
    ['no client', { client: null }],
  ])('is refused: made for %s', async (_what, change) => {
    const relayed = await proof(visitor, change)
    const verdict = await judge(relayed, dialled, { ...known, joinCode: server.fingerprint })
    expect(verdict).toMatchObject({ kind: 'refused', reason: expect.stringContaining('could not prove') })
  })

  it('is refused: signed by a key that the certificate does not name', async () => {
    const forged = await proof(visitor, {}, (await generateKeys()).privateKey)
    expect(await judge(forged, dialled, { ...known, isPinned: async () => true })).toMatchObject({ kind: 'refused' })
  })

  it('is refused: under an owner who did not sign the server', async () => {
    const claimed = { ...(await proof(visitor)), chain: [server.pem, visitor.pem] }
    expect(await judge(claimed, dialled, known)).toMatchObject({ kind: 'refused' })
    expect(await judge({ ...claimed, chain: [] }, dialled, known)).toMatchObject({ kind: 'refused' })
  })
})
