import 'fake-indexeddb/auto'
import { describe, expect, it } from 'vitest'
import { exportPrivateKey, generateKeys } from './keys'
import { identityFromFile, identityFromStore, keyFileOf, makeIdentity, viewOf } from './identity'
import { writeKeyFile } from './p12/write'
import { openStore } from './store'

const holder = { callsign: 'W1AW', licenceClass: 'extra' }

describe('an identity', () => {
  it('can be written to a file in the page that made it, and comes back from it', async () => {
    const made = await makeIdentity(holder)
    expect(viewOf(made)).toMatchObject({ callsign: 'W1AW', method: 'self-asserted', exportable: true, backedUp: false })
    const file = await keyFileOf(made, 'secret')
    const read = await identityFromFile(file ?? new Uint8Array(), 'secret')
    expect(viewOf(read)).toMatchObject({ keyId: made.parsed.keyId, exportable: true, backedUp: true })
    expect(read.chain).toEqual([])
  })

  it('cannot leave the browser once it was stored', async () => {
    const store = openStore()
    await store.keepIdentity(await makeIdentity(holder))
    const stored = await store.identity()
    expect(Object.keys(stored ?? {}).sort()).toEqual(['backedUp', 'certificate', 'chain', 'privateKey'])
    const read = stored && (await identityFromStore(stored))
    expect(read && viewOf(read)).toMatchObject({ callsign: 'W1AW', exportable: false })
    expect(read && (await keyFileOf(read, 'secret'))).toBeNull()
    if (read) await expect(crypto.subtle.exportKey('pkcs8', read.privateKey)).rejects.toThrow()
    await store.forgetIdentity()
    expect(await store.identity()).toBeNull()
  })

  it('is refused when the certificate in the file belongs to another key', async () => {
    const other = await generateKeys()
    const mine = await makeIdentity(holder)
    const file = await writeKeyFile(
      {
        privateKey: await exportPrivateKey(other.privateKey),
        certificates: [mine.parsed.der],
        name: 'W1AW',
        localKeyId: new Uint8Array([1]),
      },
      'secret',
    )
    await expect(identityFromFile(file, 'secret')).rejects.toThrow('has no certificate for its key')
  })
})

describe('the store', () => {
  it('remembers accepted servers', async () => {
    const store = openStore()
    expect(await store.isPinned('ab')).toBe(false)
    await store.pin('ab')
    expect(await openStore().isPinned('ab')).toBe(true)
  })
})
