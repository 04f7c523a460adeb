/**
 * The secure address by number: over IPv6, and at the owner's own network of 44net, which crosses amateur frequencies
 * until the owner says otherwise. Judges are OpenSSL and Chromium at another machine.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { openPage } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'

/** The server's, and beside each the other machine's. */
const six = ['fd77::1', 'fd77::2']
const own44 = ['44.30.1.1', '44.30.1.2']
/** Of 44net, too, but somebody else's. */
const other44 = ['44.30.2.1', '44.30.2.2']
const flags = ['--no-mdns', '--own-44net', '44.30.1.0/24']
const opened = [...flags, '--zone', '44.30.0.0/16=open']

let folder
let machines
let server
let browser
let root

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-numbers-'))
  machines = await twoMachines(folder)
  for (const [bits, [here, there]] of [[64, six], [24, own44], [24, other44]]) {
    const words = (address) => ['address', 'add', `${address}/${bits}`, 'dev', 'cable', ...(bits === 64 ? ['nodad'] : [])]
    execFileSync('ip', words(here))
    const [program, ...rest] = [...machines.there, 'ip', ...words(there)]
    execFileSync(program, rest)
  }
  server = await startServer(join(folder, 'data'), 8080, { flags })
  await claim(server, await makeOperator(folder, 'W1AW'))
  root = join(folder, 'ca.pem')
  const der = await (await fetch(`${server.local}/trust/ca.crt`)).arrayBuffer()
  const words = ['x509', '-inform', 'DER', '-out', root]
  execFileSync('openssl', words, { input: Buffer.from(der) })
  browser = await machines.browserThere({ home: await homeThatTrusts(folder, root) })
})

after(async () => {
  await browser?.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('by its IPv6 address the server is trusted, its page lives without it, and its signaling answers', async () => {
  const url = `https://[${six[0]}]:8080`
  assert.ok((await info(six[0])).secure.urls.includes(url))
  assert.deepEqual(judged(six[0]), [0, 'ok'])
  await worksAt(url)
})

step('at its network of 44net there is no TLS until the owner opens that, and then it is trusted', async () => {
  const before = await info(own44[0])
  assert.deepEqual([before.zone.zone, before.secure], ['part97', null])
  assert.match(before.zone.reason, /44net/)
  const [code, said] = judged(own44[0])
  assert.notEqual(code, 0)
  assert.match(said, /alert access denied/)
  await refuses(`https://${own44[0]}:8080`, /ERR_SSL|ERR_CONNECTION/)
  const page = await openPage(browser)
  await page.goto(`http://${own44[0]}:8080/trust`)
  await page.getByText(/^You reach this server across amateur frequencies: 44\.30\.1\.\d is an address of amateur radio \(44net\)\.$/).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Download the certificate' }).count(), 0)
  await page.context().close()

  await server.stop()
  server = await startServer(join(folder, 'data'), 8080, { flags: opened })
  const { zone, secure } = await info(own44[0])
  assert.deepEqual([zone.zone, secure.amateurNetworks], ['open', ['44.30.1.0/24']])
  assert.ok(secure.urls.includes(`https://${own44[0]}:8080`))
  assert.deepEqual(judged(own44[0]), [0, 'ok'])
  await worksAt(`https://${own44[0]}:8080`)
})

step('for the rest of 44net the certificate does not vouch', async () => {
  const { secure } = await info(other44[0])
  assert.ok(secure.urls.every((url) => !url.includes(other44[0])), secure.urls.join())
  const [code] = judged(other44[0])
  assert.notEqual(code, 0)
  await refuses(`https://${other44[0]}:8080`, /ERR_CERT/)
})

/** A guest's page at a secure address: it is trusted, connects, and opens again while the server is away. */
async function worksAt(url) {
  const page = await openPage(browser)
  await page.goto(url)
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
  assert.ok(await page.evaluate(() => isSecureContext))
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.state)
  await page.context().setOffline(true)
  await page.reload()
  await page.getByText('The server has not answered yet').waitFor()
  await page.context().close()
}

/** That Chromium there opens nothing at a URL, and for which reason. */
async function refuses(url, reason) {
  const page = await openPage(browser)
  await assert.rejects(page.goto(url), reason)
  await page.context().close()
}

/** What OpenSSL there says of the certificate at an address of the server. */
function judged(address) {
  const host = address.includes(':') ? `[${address}]` : address
  const words = ['s_client', '-connect', `${host}:8080`, '-CAfile', root, '-verify_return_error', '-verify_ip', address]
  const [program, ...rest] = [...machines.there, 'openssl', ...words]
  const { status, stdout, stderr } = spawnSync(program, rest, { input: '', encoding: 'utf8', timeout: 20_000 })
  return [status, status === 0 ? /Verify return code: 0 \((\w+)\)/.exec(stdout)?.[1] : `${stdout}${stderr}`]
}

/** What the server says of itself to who comes by an address of its. */
function info(address) {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port: 8080, path: '/api/info' }, async (response) => {
      resolve(JSON.parse(Buffer.concat(await response.toArray())))
    })
    request.on('error', reject)
  })
}
