import { beforeAll, expect, it } from 'vitest'
import { joinedOwner } from './joined-owner'
import type { Certificate } from './certificate'
import { forServer, selfSigned } from './issue'
import { generateKeys } from './keys'

let owner: Certificate
let server: Certificate
let stranger: Certificate

beforeAll(async () => {
  const [ownerKeys, serverKeys, strangerKeys] = await Promise.all([generateKeys(), generateKeys(), generateKeys()])
  owner = await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null })
  server = await forServer(serverKeys.publicKey, owner, ownerKeys.privateKey)
  stranger = await selfSigned(strangerKeys, { callsign: 'W1AW', licenceClass: null })
})

const given = (certificate: Certificate, ...chain: Certificate[]) => joinedOwner(server.fingerprint, async () => ({ certificate: certificate.pem, chain: chain.map(({ pem }) => pem) }))

it('is who signed the server of the code, wherever it stands', async () => {
  expect((await given(server, owner))?.fingerprint).toBe(owner.fingerprint)
  expect((await given(server, stranger, owner))?.fingerprint).toBe(owner.fingerprint)
})

it('is nobody who only bears the name, and nobody for another server', async () => {
  expect(await given(server, stranger)).toBeNull()
  expect(await given(server)).toBeNull()
  expect(await given(owner, owner)).toBeNull()
})
