/**
 * On the secure address: the app can be installed, and opens without the server. And what the browser CA of the
 * server may not sign, browsers and tools refuse.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { openPage } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'

const names = ['w1aw.local', 'example.com']

let folder
let data
let machines
let server
let browser
let page

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-offline-'))
  data = join(folder, 'data')
  machines = await twoMachines(folder)
  server = await startServer(data)
  await claim(server, await makeOperator(folder, 'W1AW'))
  const root = await (await fetch(`${server.local}/trust/ca.crt`)).arrayBuffer()
  await writeFile(join(folder, 'ca.crt'), Buffer.from(root))
  browser = await machines.browserThere({
    home: await homeThatTrusts(folder, join(folder, 'ca.crt')),
    args: [`--host-resolver-rules=${names.map((name) => `MAP ${name} ${addressHere}`).join(',')}`],
  })
})

after(async () => {
  await browser?.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('the app can be installed from the secure address', async () => {
  page = await openPage(browser)
  await page.goto(`https://w1aw.local:${server.port}/`)
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.state)
  const devtools = await page.context().newCDPSession(page)
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
  // Private windows, which these are, install nothing; there is no other complaint.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), [])
})

step('it keeps one version of itself, and nothing that the server says', async () => {
  const kept = await page.evaluate(async () => {
    const versions = await caches.keys()
    const files = await Promise.all(versions.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))
    return { versions, files: files.flat() }
  })
  assert.equal(kept.versions.length, 1)
  assert.match(kept.versions[0], /^ham-server-[0-9a-f]{16}$/)
  assert.ok(kept.files.includes('/') && kept.files.includes('/manifest.webmanifest'))
  assert.deepEqual(kept.files.filter((path) => /^\/(api|trust|signal)/.test(path)), [])
})

step('without the server it opens, looks for others, and goes on by itself when the server is back', async () => {
  await server.stop()
  server = undefined
  await page.reload()
  await page.getByText('The server has not answered yet').waitFor()
  await page.getByRole('heading', { name: 'Found by looking' }).waitFor()
  server = await startServer(data)
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
})

step('a certificate for another site, signed by this server, is refused by Chromium, openssl and certtool', async () => {
  for (const name of names) {
    const own = name === 'w1aw.local'
    const { key, certificate, chain } = await sign(name)
    const elsewhere = createServer({ key: await readFile(key), cert: await readFile(chain) }, (_, response) => response.end('hello'))
    elsewhere.listen(9443, addressHere)
    await once(elsewhere, 'listening')
    const visiting = page.goto(`https://${name}:9443/`)
    if (own) assert.equal((await visiting).status(), 200)
    else await assert.rejects(visiting, /net::ERR_CERT_(INVALID|NAME_CONSTRAINT_VIOLATION)/)
    elsewhere.closeAllConnections()
    elsewhere.close()

    const root = join(data, 'browser-root.pem')
    const intermediate = join(data, 'browser-intermediate.pem')
    assert.equal(agrees('openssl', 'verify', '-CAfile', root, '-untrusted', intermediate, certificate), own, `openssl on ${name}`)
    assert.equal(agrees('certtool', '--verify', '--load-ca-certificate', root, '--infile', chain), own, `certtool on ${name}`)
  }
})

/** A leaf for a name, signed with the key that the server keeps: as whoever stole it would. */
async function sign(name) {
  const file = (end) => join(folder, `${name}.${end}`)
  const openssl = (...words) => execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'ignore'] })
  const intermediate = join(data, 'browser-intermediate')
  await writeFile(file('ext'), `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\n`)
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key'), '-subj', '/CN=leaf', '-out', file('csr'))
  const by = ['-CA', `${intermediate}.pem`, '-CAkey', `${intermediate}.key`]
  openssl('x509', '-req', '-in', file('csr'), ...by, '-days', '30', '-extfile', file('ext'), '-out', file('pem'))
  const parts = await Promise.all([file('pem'), `${intermediate}.pem`, join(data, 'browser-root.pem')].map((part) => readFile(part)))
  await writeFile(file('chain'), Buffer.concat(parts))
  return { key: file('key'), certificate: file('pem'), chain: file('chain') }
}

/** Whether a tool accepts what it is given. */
function agrees(...[program, ...words]) {
  try {
    execFileSync(program, words, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
