import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bytes, toPem, utf8 } from '../../bytes'
import type { Certificate } from '../certificate'
import { selfSigned } from '../issue'
import { exportPrivateKey, generateKeys } from '../keys'
import { readKeyFile } from './read'
import { writeKeyFile } from './write'

const PASSWORD = 'grüße 73'
let certificate: Certificate
let privateKey: Bytes
let file: Bytes

beforeAll(async () => {
  const keys = await generateKeys()
  certificate = await selfSigned(keys, { callsign: 'W1AW', licenceClass: null })
  privateKey = await exportPrivateKey(keys.privateKey)
  file = await writeKeyFile(
    { privateKey, certificates: [certificate.der], name: 'W1AW', localKeyId: utf8('key') },
    PASSWORD,
  )
})

describe('key files', () => {
  it('come back as they were written', async () => {
    const content = await readKeyFile(file, PASSWORD)
    expect(content.privateKeys).toEqual([privateKey])
    expect(content.certificates).toEqual([certificate.der])
  })

  it('say that a password does not fit', async () => {
    await expect(readKeyFile(file, 'gruesse 73')).rejects.toThrow('The password does not fit this file.')
  })

  it('are refused when a byte was changed', async () => {
    const changed = file.slice()
    const at = changed.length >> 1
    changed[at] = (changed[at] ?? 0) ^ 1
    await expect(readKeyFile(changed, PASSWORD)).rejects.toThrow(/does not fit|cannot be read/)
  })

  it('are refused when they are something else', async () => {
    for (const bytes of [new Uint8Array(0), utf8('hello'), certificate.der, privateKey, file.slice(0, 400)]) {
      await expect(readKeyFile(bytes, PASSWORD)).rejects.toThrow('This file cannot be read as a key file.')
    }
  })
})

describe.runIf(spawnSync('openssl', ['version']).status === 0)('key files and openssl', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'p12-'))
    writeFileSync(join(folder, 'key.pem'), toPem('PRIVATE KEY', privateKey))
    writeFileSync(join(folder, 'cert.pem'), certificate.pem)
    writeFileSync(join(folder, 'ours.p12'), file)
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })

  it('openssl reads ours, both bags encrypted with AES', () => {
    const text = openssl('pkcs12', '-in', 'ours.p12', '-passin', `pass:${PASSWORD}`, '-nodes')
    expect(text).toContain('friendlyName: W1AW')
    expect(text).toContain(certificate.pem.trim())
    expect(text).toContain(toPem('PRIVATE KEY', privateKey).trim())
    const info = spawnSync('openssl', ['pkcs12', '-info', '-in', 'ours.p12', '-passin', `pass:${PASSWORD}`, '-noout'], {
      cwd: folder,
      encoding: 'utf8',
    }).stderr
    expect(info).toContain('MAC: sha256')
    expect(info.match(/PBES2, PBKDF2, AES-256-CBC, Iteration \d+, PRF hmacWithSHA256/g)).toHaveLength(2)
  })

  it.each([
    ['of today', []],
    ['with AES-128 and SHA-1', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha1']],
    ['with triple DES', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['with RC2-40 and triple DES', ['-legacy']],
    ['without encryption', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['without an integrity check', ['-nomac']],
  ])('we read theirs %s', async (_what, options) => {
    const out = ['-export', '-inkey', 'key.pem', '-in', 'cert.pem', '-out', 'theirs.p12', '-passout', 'pass:secret']
    openssl('pkcs12', ...out, ...options)
    const theirs = new Uint8Array(readFileSync(join(folder, 'theirs.p12')))
    const content = await readKeyFile(theirs, 'secret')
    expect(content.certificates).toEqual([certificate.der])
    expect(content.privateKeys).toEqual([privateKey])
    if (!options.includes('NONE')) await expect(readKeyFile(theirs, 'other')).rejects.toThrow(/password/)
  })
})
