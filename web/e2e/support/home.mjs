/** Home folders of people whose browsers trust a certificate. */
import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A home folder whose browsers trust the certificates, as after their import by hand. */
export async function homeThatTrusts(folder, ...certificates) {
  const home = join(folder, 'home')
  const database = join(home, '.pki/nssdb')
  await mkdir(database, { recursive: true })
  const certutil = (...words) => execFileSync('certutil', ['-d', `sql:${database}`, ...words])
  certutil('-N', '--empty-password')
  for (const [number, certificate] of certificates.entries()) certutil('-A', '-t', 'C,,', '-n', `ham-server ${number}`, '-i', certificate)
  return home
}
