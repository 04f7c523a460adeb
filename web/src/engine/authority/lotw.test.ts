import { execFileSync, spawnSync } from 'node:child_process'
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bytes } from '../bytes'
import { lotwProof } from './lotw'

const PASSWORD = 'logbook'
const STATEMENT = 'ham-server/1 lotw\nof whatever the server asks'

/** Files of the shapes that TQSL saves: an RSA key of 1024 bits below an intermediate that has ended. */
describe.runIf(spawnSync('openssl', ['version']).status === 0)('a Logbook of the World file', () => {
  let folder: string
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  const key = (name: string, bits: number) => openssl('genrsa', '-out', `${name}.key`, String(bits))
  const sign = (name: string, subject: string, by: string, extensions: string, ...dates: string[]) => {
    openssl('req', '-new', '-key', `${name}.key`, '-subj', subject, '-config', 'names.cnf', '-out', `${name}.csr`)
    writeFileSync(join(folder, `${name}.ext`), extensions)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-set_serial', '7', '-sha256', '-extfile', `${name}.ext`, '-out', `${name}.pem`, ...dates)
  }
  const saved = (name: string, ...options: string[]): Bytes => {
    openssl('pkcs12', '-export', '-inkey', 'user.key', '-in', 'user.pem', '-certfile', 'above.pem', '-passout', `pass:${PASSWORD}`, '-out', name, ...options)
    return new Uint8Array(readFileSync(join(folder, name)))
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lotw-'))
    writeFileSync(join(folder, 'names.cnf'), 'oid_section = names\n[names]\nstationCall = 1.3.6.1.4.1.12348.1.1\n[req]\ndistinguished_name = dn\n[dn]\n')
    key('root', 2048)
    key('middle', 2048)
    key('user', 1024)
    const ca = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
    openssl('req', '-x509', '-key', 'root.key', '-subj', '/O=American Test League/CN=Test Root', '-addext', 'basicConstraints=critical,CA:TRUE', '-days', '3000', '-config', 'names.cnf', '-out', 'root.pem')
    sign('middle', '/O=American Test League/CN=Test Production', 'root', ca, '-days', '-1')
    sign('user', '/stationCall=K1ABC/CN=Somebody', 'middle', 'basicConstraints=CA:FALSE\n', '-days', '1000')
    writeFileSync(join(folder, 'above.pem'), read('root.pem') + read('middle.pem'))
    expect(new Date(new X509Certificate(read('middle.pem')).validTo).getTime()).toBeLessThan(Date.now())
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each([
    ['as TQSL writes it, with RC2-40 and triple DES', ['-legacy']],
    ['with triple DES', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['as programs of today write it', []],
  ])('%s proves: the chain with the person’s first, and a signature of that key', async (_what, options) => {
    const file = saved('theirs.p12', ...options)
    const { chain, signature } = await lotwProof(file, PASSWORD, 'K1ABC', STATEMENT)
    const der = (pem: string) => new X509Certificate(pem).raw.toString('hex')
    expect(chain.map(der)).toEqual([read('user.pem'), read('middle.pem'), read('root.pem')].map(der))
    const publicKey = createPublicKey(read('user.pem'))
    expect(publicKey.asymmetricKeyDetails?.modulusLength).toBe(1024)
    expect(verify('sha256', Buffer.from(STATEMENT), publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(verify('sha256', Buffer.from(`${STATEMENT}.`), publicKey, Buffer.from(signature, 'base64url'))).toBe(false)
  })

  it('is told from one of another callsign, one without a key, and one of another kind', async () => {
    const file = saved('theirs.p12', '-legacy')
    await expect(lotwProof(file, PASSWORD, 'K2ABC', STATEMENT)).rejects.toThrow('This file is the certificate of K1ABC.')
    await expect(lotwProof(file, 'wrong', 'K1ABC', STATEMENT)).rejects.toThrow('The password does not fit this file.')
    openssl('pkcs12', '-export', '-nokeys', '-in', 'user.pem', '-passout', `pass:${PASSWORD}`, '-out', 'bare.p12')
    await expect(lotwProof(new Uint8Array(readFileSync(join(folder, 'bare.p12'))), PASSWORD, 'K1ABC', STATEMENT)).rejects.toThrow('no key')
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.key')
    openssl('req', '-x509', '-key', 'ec.key', '-subj', '/CN=K1ABC', '-days', '9', '-config', 'names.cnf', '-out', 'ec.pem')
    openssl('pkcs12', '-export', '-inkey', 'ec.key', '-in', 'ec.pem', '-passout', `pass:${PASSWORD}`, '-out', 'ec.p12')
    await expect(lotwProof(new Uint8Array(readFileSync(join(folder, 'ec.p12'))), PASSWORD, 'K1ABC', STATEMENT)).rejects.toThrow('not one of Logbook of the World')
  })
})
