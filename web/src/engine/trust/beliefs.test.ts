import { beforeAll, describe, expect, it } from 'vitest'
import { type Beliefs, judgeChain } from './beliefs'
import { type Certificate, identityUnder } from './certificate'
import { NO_STATEMENTS } from './heard'
import { forServer, selfSigned, vouchFor } from './issue'
import { generateKeys } from './keys'

/** The server that W1AW owns vouched for us and for a peer. */
let owner: Certificate
let ownerKeys: CryptoKeyPair
let server: Certificate
let mine: Certificate
let peer: Certificate
let nobody: Beliefs

beforeAll(async () => {
  ownerKeys = await generateKeys()
  const [serverKeys, myKeys, peerKeys] = await Promise.all([generateKeys(), generateKeys(), generateKeys()])
  owner = await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null })
  server = await forServer(serverKeys.publicKey, owner, ownerKeys.privateKey)
  mine = await vouchFor(myKeys.publicKey, { callsign: 'K1ABC', licenceClass: null }, 'in-person', server, serverKeys.privateKey)
  peer = await vouchFor(peerKeys.publicKey, { callsign: 'N0XYZ', licenceClass: null }, 'lotw', server, serverKeys.privateKey)
  nobody = { mine: null, chain: [], joinCode: null, isPinned: async () => false, owner: null, statements: async () => NO_STATEMENTS, distrusted: [] }
})

const shown = () => [peer.pem, server.pem, owner.pem]

describe('a chain that somebody shows', () => {
  it('is trusted when it meets our own', async () => {
    const verdict = await judgeChain(shown(), { ...nobody, mine, chain: [server.pem, owner.pem] })
    expect(verdict).toMatchObject({ kind: 'trusted', certificate: { callsign: 'N0XYZ' } })
    expect(verdict.kind === 'trusted' && verdict.path.at(-1)?.fingerprint).toBe(owner.fingerprint)
  })

  it('is trusted under a server whose code was scanned, or that was accepted', async () => {
    expect(await judgeChain(shown(), { ...nobody, joinCode: server.fingerprint })).toMatchObject({ kind: 'trusted' })
    expect(await judgeChain(shown(), { ...nobody, isPinned: async (one) => one === server.fingerprint })).toMatchObject({ kind: 'trusted' })
  })

  it('is trusted under the owner of the server that was accepted', async () => {
    const friendKeys = await generateKeys()
    const friend = await vouchFor(friendKeys.publicKey, { callsign: 'N1ABC', licenceClass: null }, 'in-person', owner, ownerKeys.privateKey)
    for (const chain of [[owner.pem], [friend.pem], shown()]) {
      expect(await judgeChain(chain, { ...nobody, owner })).toMatchObject({ kind: 'trusted' })
    }
    const stranger = await selfSigned(friendKeys, { callsign: 'W1AW', licenceClass: null })
    expect(await judgeChain([stranger.pem, owner.pem], { ...nobody, owner })).toMatchObject({ kind: 'not-trusted' })
  })

  it('brings no anchor of its own', async () => {
    expect(await judgeChain(shown(), nobody)).toMatchObject({ kind: 'not-trusted', why: 'untrusted' })
    expect(await judgeChain([peer.pem], { ...nobody, mine: owner })).toMatchObject({ kind: 'not-trusted', why: 'waiting' })
  })

  it('is not ours because it ends with a certificate that we hold', async () => {
    const stranger = await selfSigned(await generateKeys(), { callsign: 'N0XYZ', licenceClass: null })
    const verdict = await judgeChain([stranger.pem, mine.pem, server.pem, owner.pem], { ...nobody, mine, chain: [server.pem, owner.pem] })
    expect(verdict).toMatchObject({ kind: 'not-trusted', why: 'untrusted' })
  })

  it('is not trusted where the server’s owner blacklisted it', async () => {
    const distrusted = [identityUnder(peer, server.spki)]
    expect(await judgeChain(shown(), { ...nobody, mine: owner, distrusted })).toMatchObject({ kind: 'not-trusted', why: 'blacklisted' })
  })

  it('cannot be read when it is none', async () => {
    expect(await judgeChain([], nobody)).toEqual({ kind: 'unreadable' })
    expect(await judgeChain(['W1AW'], nobody)).toEqual({ kind: 'unreadable' })
  })
})
