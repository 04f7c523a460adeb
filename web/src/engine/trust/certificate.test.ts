import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../bytes'
import { type Certificate, identityUnder, issuedBy, parseCertificate, parseDer } from './certificate'
import { forServer, requestFor, selfSigned, vouchFor } from './issue'
import { generateKeys } from './keys'
import { decodeLicence, encodeLicence } from './licence'

const openssl = spawnSync('openssl', ['version']).status === 0

let keys: CryptoKeyPair
let owner: Certificate
let serverKeys: CryptoKeyPair
let server: Certificate

beforeAll(async () => {
  keys = await generateKeys()
  owner = await selfSigned(keys, { callsign: 'W1AW', licenceClass: 'extra' })
  serverKeys = await generateKeys()
  server = await forServer(serverKeys.publicKey, owner, keys.privateKey)
})

describe('certificates of stations', () => {
  it('say who holds them and how the licence was checked', () => {
    expect(owner.callsign).toBe('W1AW')
    expect(owner.licence).toEqual({
      callsign: 'W1AW',
      method: 'self-asserted',
      vouchedBy: 'W1AW',
      licenceClass: 'extra',
    })
    expect(server.organizationalUnit).toBe('Server')
    expect(server.licence).toBeNull()
  })

  it('are issued by the key that signed them, and by no other of the same name', async () => {
    const impostor = await selfSigned(await generateKeys(), { callsign: 'W1AW', licenceClass: 'extra' })
    expect(await issuedBy(owner, owner)).toBe(true)
    expect(await issuedBy(server, owner)).toBe(true)
    expect(await issuedBy(server, impostor)).toBe(false)
    expect(await issuedBy(owner, server)).toBe(false)
  })

  it('cannot be changed without breaking the signature', async () => {
    const der = server.der.slice()
    const at = toHex(der).indexOf(toHex(new TextEncoder().encode('W1AW'))) / 2
    der[at] = 'K'.charCodeAt(0)
    const changed = await parseCertificate(btoaPem(der))
    if (changed) expect(await issuedBy(changed, owner)).toBe(false)
  })

  it('are refused when they are not one PEM block of a certificate', async () => {
    for (const text of ['', 'W1AW', owner.pem + owner.pem, owner.pem.replaceAll('CERTIFICATE', 'PUBLIC KEY')]) {
      expect(await parseCertificate(text)).toBeNull()
    }
  })
})

describe('a certificate is not read', () => {
  /** The certificate with one part of its DER replaced by another of the same length. */
  const changed = (from: string, to: string) => {
    const hex = toHex(owner.der)
    expect(hex.split(from)).toHaveLength(2)
    return parseDer(Uint8Array.from(hex.replace(from, to).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
  }

  it.each([
    ['of version 2', 'a003020102', 'a003020101'],
    ['with a critical extension that is not known', '551d130101ff', '551d630101ff'],
    ['with the same extension twice', '551d0f0101ff', '551d130101ff'],
    ['with a critical key identifier', '551d0e041604', '551d0e010604'],
    ['with a truth value of 1', '551d130101ff', '551d13010101'],
    ['without a callsign', '550403', '550405'],
    ['that names another voucher than its issuer', '0a01000c0457314157', '0a01000c044b314157'],
  ])('%s', async (_what, from, to) => {
    const hex = toHex(owner.der)
    // Issuer and subject both name the holder.
    const all = hex.split(from).length > 2 ? parseDer(Uint8Array.from(hex.replaceAll(from, to).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))) : changed(from, to)
    expect(await all).toBeNull()
  })

  it('with bytes after its end', async () => {
    expect(await parseDer(Uint8Array.from([...owner.der, 0]))).toBeNull()
  })
})

describe('an operator’s word', () => {
  it('is a certificate for the other’s key, with what the operator checked', async () => {
    const theirs = await generateKeys()
    const word = await vouchFor(theirs.publicKey, { callsign: 'K1ABC', licenceClass: null }, 'in-person', owner, keys.privateKey)
    expect(word.licence).toEqual({ callsign: 'K1ABC', method: 'in-person', vouchedBy: 'W1AW', licenceClass: null })
    expect(await issuedBy(word, owner)).toBe(true)
    expect(word.mayIssue).toBe(true)
    expect(owner.keyId.startsWith(word.issuerHint ?? 'none')).toBe(true)
    // Who issued is part of its name, and how the signature is written is not.
    expect(identityUnder(word, owner.spki)).not.toBe(identityUnder(word, word.spki))
  })
})

describe('the licence extension', () => {
  const licence = { callsign: 'K1ABC', method: 'in-person', vouchedBy: 'W1AW', licenceClass: null } as const

  it('has one encoding', () => {
    expect(toHex(encodeLicence(licence))).toBe('30130201010c054b314142430a01010c0457314157')
    expect(decodeLicence(encodeLicence(licence))).toEqual(licence)
    expect(decodeLicence(encodeLicence({ ...licence, licenceClass: 'extra' }))?.licenceClass).toBe('extra')
  })

  it.each([
    ['a later version', '30130201020c054b314142430a01010c0457314157'],
    ['an unknown method', '30130201010c054b314142430a01090c0457314157'],
    ['a member after the known ones', '30150201010c054b314142430a01010c04573141570500'],
    ['a length in long form', '3081130201010c054b314142430a01010c0457314157'],
    ['bytes after the end', '30130201010c054b314142430a01010c045731415700'],
    ['a callsign in lower case', '30130201010c056b314142430a01010c0457314157'],
    ['an empty class', '30150201010c054b314142430a01010c04573141578000'],
    ['nothing', ''],
  ])('is unreadable with %s', (_what, hex) => {
    expect(decodeLicence(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))).toBeNull()
  })
})

describe.runIf(openssl)('judged by openssl', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'certificate-'))
    writeFileSync(join(folder, 'owner.pem'), owner.pem)
    writeFileSync(join(folder, 'server.pem'), server.pem)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' })

  it('the server certificate verifies against the owner', () => {
    expect(run('verify', '-x509_strict', '-CAfile', 'owner.pem', 'server.pem')).toContain('server.pem: OK')
  })

  it('both have the fields of the format', () => {
    const text = run('x509', '-in', 'server.pem', '-noout', '-text', '-nameopt', 'RFC2253,show_type')
    expect(text).toContain('Subject: OU=UTF8STRING:Server,CN=UTF8STRING:W1AW')
    expect(text).toContain('Issuer: CN=UTF8STRING:W1AW')
    expect(text).toContain('Not After : Dec 31 23:59:59 9999 GMT')
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE\n/)
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n/)
    expect(text).toContain('ecdsa-with-SHA256')
    const colons = (id: string) => (id.slice(0, 40).toUpperCase().match(/../g) ?? []).join(':')
    expect(text).toContain(`Subject Key Identifier: \n                ${colons(server.keyId)}`)
    expect(text).toContain(colons(owner.keyId))
    expect(run('asn1parse', '-in', 'owner.pem')).toMatch(/GENERALIZEDTIME\s+:99991231235959Z/)
    expect(run('x509', '-in', 'owner.pem', '-noout', '-fingerprint', '-sha256').trim().split('=')[1]).toBe(
      (owner.fingerprint.toUpperCase().match(/../g) ?? []).join(':'),
    )
  })

  it('a request for a certificate holds a key, a name and the proof of the key', async () => {
    writeFileSync(join(folder, 'request.pem'), await requestFor(keys, 'W1AW'))
    const text = run('req', '-in', 'request.pem', '-noout', '-text', '-nameopt', 'RFC2253,show_type')
    expect(text).toContain('Subject: CN=UTF8STRING:W1AW')
    expect(text).toContain('ecdsa-with-SHA256')
    expect(spawnSync('openssl', ['req', '-in', join(folder, 'request.pem'), '-noout', '-verify']).stderr.toString()).toContain('verify OK')
  })

  it('serials are positive and of at most 17 bytes', async () => {
    for (let i = 0; i < 3; i++) {
      const made = await forServer(serverKeys.publicKey, owner, keys.privateKey)
      writeFileSync(join(folder, 'one.pem'), made.pem)
      const serial = run('x509', '-in', 'one.pem', '-noout', '-serial').trim().split('=')[1] ?? ''
      expect(serial).toMatch(/^[0-9A-F]{1,32}$/)
    }
  })
})

function btoaPem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
}
