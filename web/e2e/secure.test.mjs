/**
 * From plain http to the secure address, as a visitor with a laptop walks it: the page with the steps,
 * the certificate, the page that notices; and then an operator's key, where browsers keep keys safe.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, twoMachines } from './support/network.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { entry, openPage, personIn, write } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'

const password = 'correct horse battery'

let folder
let machines
let server
/** Here: the owner, and a guest who stays on plain http. There: a laptop, before and after it trusts the server. */
const browsers = {}
let laptop
/** What the server tells the laptop of its secure addresses. */
let secure

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-secure-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  browsers.here = await machines.browserHere()
  browsers.there = await machines.browserThere()
})

after(async () => {
  for (const browser of Object.values(browsers)) await browser.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('the owner claims the server and keeps a copy of the key', async () => {
  const owner = await openPage(browsers.here)
  await owner.goto(server.local)
  await owner.getByLabel('Your callsign').fill('W1AW')
  await owner.getByRole('button', { name: 'Claim as W1AW' }).click()
  await owner.getByRole('button', { name: 'Save a copy' }).click()
  await owner.getByLabel('A password for the file').fill(password)
  await owner.getByLabel('The same password again').fill(password)
  const saved = owner.waitForEvent('download')
  await owner.getByRole('button', { name: 'Save the .p12 file' }).click()
  await (await saved).saveAs(join(folder, 'owner.p12'))
  await owner.context().close()
})

step('a laptop that does not trust the server is shown its steps, and the certificate', async () => {
  laptop = await openPage(browsers.there)
  await laptop.goto(`http://${addressHere}:${server.port}/trust`)
  await laptop.getByText('Your browser does not trust this server’s address yet.').waitFor()

  const saved = laptop.waitForEvent('download')
  await laptop.getByRole('link', { name: 'Download the certificate' }).click()
  const file = await saved
  // The steps name it.
  assert.equal(file.suggestedFilename(), 'ham-server-ca.crt')
  await file.saveAs(join(folder, 'ca.crt'))
  // The page has looked since, and found no trust.
  await laptop.getByText('All three steps are done, and still no?').waitFor()
  assert.equal(await laptop.getByRole('link', { name: 'Go to the secure address' }).count(), 0)

  secure = await laptop.evaluate(async () => (await (await fetch('/api/info')).json()).secure)
  const root = new X509Certificate(await readFile(join(folder, 'ca.crt')))
  assert.equal(plain(root.fingerprint256), secure.root)
  assert.equal(plain(await laptop.locator('.fingerprint').textContent()), secure.root)
  for (const url of secure.urls.filter((one) => one.includes(addressHere)))
    await assert.rejects(laptop.goto(url), /ERR_CERT_AUTHORITY_INVALID/)
})

step('once it trusts the certificate, the page says so and leads on with the invitation', async () => {
  await browsers.there.close()
  browsers.there = await machines.browserThere({
    home: await homeThatTrusts(folder, join(folder, 'ca.crt')),
    args: [`--host-resolver-rules=MAP *.local ${addressHere}`],
  })
  laptop = await openPage(browsers.there)
  await laptop.goto(`http://${addressHere}:${server.port}/trust`)
  await laptop.getByText('This device trusts the server now').waitFor()
  await laptop.getByRole('link', { name: 'Go to the secure address' }).click()
  await laptop.getByText('Connected as a guest', { exact: true }).waitFor()

  const { certFingerprint } = await (await fetch(`${server.local}/api/info`)).json()
  assert.match(secure.urls[0], /^https:\/\/[a-z0-9-]+\.local:8080$/)
  assert.equal(laptop.url(), `${secure.urls[0]}/#join=1.${certFingerprint}`)
  assert.ok(await laptop.evaluate(() => isSecureContext))
})

step('whoever did the steps on the page is taken there by it', async () => {
  const page = await openPage(browsers.there)
  // As before the steps are done: no secure address answers.
  await page.addInitScript(() => {
    const ask = globalThis.fetch
    globalThis.untrusted = true
    globalThis.fetch = (url, ...more) => (globalThis.untrusted && String(url).startsWith('https:') ? Promise.reject(new TypeError('no trust')) : ask(url, ...more))
  })
  await page.goto(`http://${addressHere}:${server.port}/trust`)
  const saved = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download the certificate' }).click()
  await saved
  await page.getByText('All three steps are done, and still no?').waitFor()
  await page.evaluate(() => {
    globalThis.untrusted = false
  })
  await page.waitForURL(`${secure.urls[0]}/#join=1.*`)
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
  await page.context().close()
})

step('every secure address is trusted, by name and by number', async () => {
  assert.ok(secure.urls.includes(`https://${addressHere}:${server.port}`))
  const page = await openPage(browsers.there)
  for (const url of secure.urls) {
    await page.goto(`${url}/#/trust`)
    await page.getByRole('heading', { name: 'This page is already secure' }).waitFor()
  }
  await page.context().close()
})

step('who came by the invitation sees on a secure page who calls', async () => {
  const owner = await openPage(browsers.here)
  await owner.goto(`${server.local}/#/station`)
  await owner.getByLabel('The .p12 file').setInputFiles(join(folder, 'owner.p12'))
  await owner.getByLabel('Its password').fill(password)
  await owner.getByRole('button', { name: 'Log in with this key' }).click()
  await owner.getByText('Connected as W1AW, verified').waitFor()
  await owner.getByRole('link', { name: 'People' }).first().click()
  await personIn(owner, 'Guest').click()
  await laptop.getByRole('link', { name: 'People' }).first().click()
  await laptop.getByRole('button', { name: 'Open the conversation' }).click()
  await laptop.getByText('Connected to W1AW, verified').waitFor()
  await laptop.getByText('W1AW, the owner of this server').waitFor()
  await owner.getByText('Guest, not proven: guests have no key').waitFor()
  await owner.context().close()
})

step('an operator brings the key to the secure address and logs in', async () => {
  await laptop.getByRole('link', { name: 'Station' }).click()
  await laptop.getByLabel('The .p12 file').setInputFiles(join(folder, 'owner.p12'))
  await laptop.getByLabel('Its password').fill(password)
  await laptop.getByRole('button', { name: 'Log in with this key' }).click()
  await laptop.getByText('Connected as W1AW, verified').waitFor()
  // Key and server are known from now on, also without the invitation.
  await laptop.reload()
  await laptop.getByText('Connected as W1AW, verified').waitFor()
})

step('and calls a guest who stayed on plain http', async () => {
  const guest = await openPage(browsers.here)
  await guest.goto(`http://${addressHere}:${server.port}`)
  await laptop.getByRole('link', { name: 'People' }).click()
  await personIn(laptop, 'Guest').click()
  await laptop.getByText(/^Connected to Guest/).waitFor()
  await guest.getByRole('button', { name: 'Open the conversation' }).click()
  await write(laptop, 'CQ de W1AW')
  await entry(guest, 'CQ de W1AW').waitFor()
  await write(guest, 'Hello from plain http')
  await entry(laptop, 'Hello from plain http').waitFor()
})

/** A fingerprint as programs write it, whichever way people see it. */
function plain(fingerprint) {
  return fingerprint.replaceAll(/[^0-9a-f]/gi, '').toLowerCase()
}
