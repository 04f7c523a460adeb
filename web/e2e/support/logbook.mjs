/** A Logbook of the World of the test's own: its root, and the file that a member's program saves. */
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const names = 'oid_section = names\n[names]\nstationCall = 1.3.6.1.4.1.12348.1.1\n[req]\ndistinguished_name = dn\n[dn]\n'
const authority = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'

/**
 * The member's .p12 file in the old ciphers (RC2-40, triple DES): a key of 1024 bits, below an intermediate that
 * has ended. `root` is the root's certificate file.
 */
export async function makeLogbook(folder, callsign, password) {
  const at = (name) => join(folder, `logbook-${name}`)
  const openssl = (...words) => execFileSync('openssl', words, { stdio: 'ignore' })
  const sign = async (name, subject, by, extensions, days) => {
    openssl('req', '-new', '-key', at(`${name}.key`), '-subj', subject, '-config', at('names.cnf'), '-out', at(`${name}.csr`))
    await writeFile(at(`${name}.ext`), extensions)
    const signer = ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`), '-set_serial', '7', '-sha256']
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...signer, '-extfile', at(`${name}.ext`), '-days', days, '-out', at(`${name}.pem`))
  }
  await writeFile(at('names.cnf'), names)
  for (const [name, bits] of Object.entries({ root: '2048', middle: '2048', user: '1024' })) openssl('genrsa', '-out', at(`${name}.key`), bits)
  openssl('req', '-x509', '-key', at('root.key'), '-subj', '/O=American Test League/CN=Test Root', '-addext', 'basicConstraints=critical,CA:TRUE', '-days', '3000', '-config', at('names.cnf'), '-out', at('root.pem'))
  await sign('middle', '/O=American Test League/CN=Test Production', 'root', authority, '-1')
  await sign('user', `/stationCall=${callsign}/CN=Somebody`, 'middle', 'basicConstraints=CA:FALSE\n', '1000')
  await writeFile(at('above.pem'), (await readFile(at('root.pem'), 'utf8')) + (await readFile(at('middle.pem'), 'utf8')))
  const content = ['-inkey', at('user.key'), '-in', at('user.pem'), '-certfile', at('above.pem')]
  openssl('pkcs12', '-export', '-legacy', ...content, '-passout', `pass:${password}`, '-out', at('user.p12'))
  return { root: at('root.pem'), file: at('user.p12') }
}
