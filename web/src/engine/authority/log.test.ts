import { beforeEach, describe, expect, it } from 'vitest'
import { sha256Hex, utf8 } from '../bytes'
import type { Certificate } from '../trust/certificate'
import { forServer, selfSigned } from '../trust/issue'
import { generateKeys, signStatement } from '../trust/keys'
import { statement } from '../trust/statement'
import { MemoryStore } from '../trust/store'
import { Client } from './client'
import { checkLog } from './log'
import type { Entry } from './wire'

let keys: CryptoKeyPair
let server: Certificate
let store: MemoryStore
let entries: Entry[]

beforeEach(async () => {
  const ownerKeys = await generateKeys()
  keys = await generateKeys()
  server = await forServer(keys.publicKey, await selfSigned(ownerKeys, { callsign: 'W1AW', licenceClass: null }), ownerKeys.privateKey)
  store = new MemoryStore()
  entries = []
  for (const callsign of ['K1ABC', 'N0XYZ', 'DL0OO', 'JA1Q']) append(callsign)
})

function append(callsign: string): void {
  const hex = (word: string) => sha256Hex(utf8(word + callsign))
  entries.push({ index: entries.length, time: 7, certificate: hex('c'), identity: hex('i'), holder: hex('h'), callsign, licenseClass: null, method: 'in-person', evidence: null, previous: head(), head: '' })
}

function head(): string {
  const entry = entries.at(-1)
  return entry === undefined ? '0'.repeat(64) : headOf(entry)
}

/** As docs/protocol/certificates.md has the lines. */
function headOf(entry: Entry): string {
  const { index, time, certificate, identity, holder, callsign, method, previous } = entry
  return sha256Hex(utf8(`ham-server-log/1\n${index}\n${time}\n${certificate}\n${identity}\n${holder}\n${callsign}\n-\n${method}\n-\n${previous}`))
}

/** What the server serves, two entries on a page. */
async function check(change: (served: Entry[]) => Entry[] = (served) => served) {
  const checkpoint = { server: server.keyId, size: entries.length, head: head(), signature: '' }
  checkpoint.signature = await signStatement(keys.privateKey, statement('checkpoint', { server: server.keyId, size: String(checkpoint.size), head: checkpoint.head }))
  const served = change(entries.map((entry) => ({ ...entry })))
  const client = new Client('http://localhost:8080', async (path) => {
    if (path.startsWith('/api/certificates/')) return { status: 200, body: { certificate: server.pem }, next: null }
    const from = Number(new URL(path, 'http://localhost').searchParams.get('after') ?? 0)
    const next = from + 2 < served.length ? `/api/log?after=${from + 2}` : null
    return { status: 200, body: { entries: served.slice(from, from + 2), checkpoint }, next }
  })
  return checkLog(client, store, server.fingerprint)
}

describe('the issuance log', () => {
  it('is whole when every entry follows the one before, up to what the server signed', async () => {
    expect(await check()).toEqual({ ok: true, size: 4, head: head() })
    append('VK9X')
    expect(await check()).toMatchObject({ ok: true, size: 5 })
  })

  it('is whole when it is empty', async () => {
    entries = []
    expect(await check()).toMatchObject({ ok: true, size: 0 })
  })

  it.each<[string, (served: Entry[]) => Entry[]]>([
    ['an entry was changed', (served) => served.map((entry) => (entry.index === 1 ? { ...entry, callsign: 'N0BAD' } : entry))],
    ['an entry is missing', (served) => served.filter(({ index }) => index !== 1)],
    ['the end is missing', (served) => served.slice(0, 3)],
    ['the last was changed', (served) => served.map((entry) => (entry.index === 3 ? { ...entry, time: 8 } : entry))],
  ])('is not whole when %s', async (_what, change) => {
    expect(await check(change)).toMatchObject({ ok: false })
  })

  it('is not whole when its past is not the one that was checked before', async () => {
    await check()
    entries = []
    for (const callsign of ['K1ABC', 'N0BAD', 'DL0OO', 'JA1Q', 'VK9X']) append(callsign)
    expect(await check()).toMatchObject({ ok: false, problem: expect.stringContaining('checked before') })
    entries = entries.slice(0, 2)
    expect(await check()).toMatchObject({ ok: false, problem: expect.stringContaining('shorter') })
  })

  it('is not whole when somebody else signed it', async () => {
    keys = await generateKeys()
    expect(await check()).toMatchObject({ ok: false, problem: expect.stringContaining('signature') })
  })
})
