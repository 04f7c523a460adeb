/**
 * Whom a server trusts, by the hands of its owner and of those who want to be: a code makes an operator,
 * the blacklist makes a guest of them at once, and undoing brings them back.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, twoMachines } from './support/network.mjs'
import { keyFile, makeOperator } from './support/foreign.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { makeLogbook } from './support/logbook.mjs'
import { entry, openPage, personIn, write } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'

let folder
let machines
let server
const browsers = {}
/** The owner at the server's own machine; two licensed visitors at another, on the secure address. */
let owner
let k1abc
let n0xyz
let secure

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-authority-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  browsers.here = await machines.browserHere()
  owner = await openPage(browsers.here)
})

after(async () => {
  for (const browser of Object.values(browsers)) await browser.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('the owner claims the server', async () => {
  await owner.goto(server.local)
  await owner.getByLabel('Your callsign').fill('W1AW')
  await owner.getByRole('button', { name: 'Claim as W1AW' }).click()
  await owner.getByText('Connected as W1AW, verified').waitFor()

  await writeFile(join(folder, 'ca.crt'), Buffer.from(await (await fetch(`${server.local}/trust/ca.crt`)).arrayBuffer()))
  browsers.there = await machines.browserThere({
    home: await homeThatTrusts(folder, join(folder, 'ca.crt')),
    args: [`--host-resolver-rules=MAP *.local ${addressHere}`],
  })
  const info = await (await fetch(`${server.local}/api/info`)).json()
  ;[secure] = info.secure.urls
})

step('a visitor with a code from the owner becomes an operator, without comparing anything', async () => {
  await openSection('Decide')
  await owner.getByLabel('Their callsign').fill('k1abc')
  await owner.getByLabel('Licence class').last().fill('General')
  await owner.getByRole('button', { name: 'Make a code' }).click()
  const code = (await owner.locator('.code-fresh .code-groups').textContent()).trim()
  assert.match(code, /^[A-Z2-7]{4}( [A-Z2-7]{4}){3}$/)

  k1abc = await openPage(browsers.there)
  await k1abc.goto(`${secure}/#/become`)
  await k1abc.getByLabel('Your callsign').fill('k1abc')
  await k1abc.getByLabel('Licence class').fill('General')
  await k1abc.getByLabel('The code').fill('AAAA BBBB CCCC DDDD')
  await k1abc.getByRole('button', { name: 'Use the code' }).click()
  await k1abc.getByRole('alert').getByText('You have no certificate yet.').waitFor()

  await k1abc.getByLabel('The code').fill(code.toLowerCase())
  await k1abc.getByRole('button', { name: 'Use the code' }).click()
  await k1abc.getByText('You have a certificate. W1AW vouches for you, checked in person.').waitFor()
  await k1abc.getByText('Connected as K1ABC, verified').waitFor()
  // The code is used up.
  await owner.getByRole('button', { name: 'Done' }).click()
  await owner.reload()
  await owner.getByText('No code waits to be used.').waitFor()
})

step('the certificate is shown with the way to the root, as a sentence and as a drawing', async () => {
  await k1abc.getByRole('link', { name: 'My certificate' }).click()
  await k1abc.getByText('Trusted here').waitFor()
  await k1abc.locator('.path-root').getByText('W1AW').waitFor()
  await k1abc.getByRole('link', { name: 'How others see your certificate' }).click()
  await k1abc.getByRole('region', { name: /^Drawing/ }).getByRole('link', { name: /K1ABC/ }).waitFor()
})

step('the new operator calls the owner', async () => {
  await k1abc.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'People' }).click()
  await personIn(k1abc, 'W1AW').click()
  await k1abc.getByText('Connected to W1AW, verified').waitFor()
  await write(k1abc, 'CQ de K1ABC')
  await owner.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /^People/ }).click()
  await personIn(owner, 'K1ABC').click()
  await entry(owner, 'CQ de K1ABC').waitFor()
})

step('blacklisted by the owner, the operator is a guest at once; undone, an operator again', async () => {
  await openSection('People')
  await owner.getByLabel('Callsign').fill('k1a')
  await owner.locator('.certificate-rows > li').filter({ hasText: 'K1ABC' }).getByRole('link').click()
  await owner.getByRole('button', { name: 'Blacklist', exact: true }).click()
  await owner.getByRole('radio', { name: /^This key Whoever/ }).check()
  await owner.getByText('1 certificate would lose trust, and with that 1 key is trusted no more.').waitFor()
  await owner.getByLabel('Why').fill('Lent the laptop')
  await owner.getByLabel('Type K1ABC to confirm').fill('K1ABC')
  await owner.getByRole('button', { name: 'Blacklist K1ABC' }).click()
  await owner.getByText('K1ABC is blacklisted.').waitFor()

  await k1abc.getByText('You are a guest here now').waitFor()
  await k1abc.getByText('Connected as a guest: your key is not trusted here').first().waitFor()

  await owner.getByRole('button', { name: 'Undo' }).click()
  await k1abc.getByText('Connected as K1ABC, verified').waitFor()
})

step('somebody without a code asks, waits over a reload, and is vouched for by the owner', async () => {
  n0xyz = await openPage(browsers.there)
  await n0xyz.goto(`${secure}/#/become`)
  await n0xyz.getByLabel('Your callsign').fill('N0XYZ')
  await n0xyz.getByText('Ask the owner', { exact: true }).click()
  await n0xyz.getByLabel('A word to the owner').fill('The one with the red van')
  await n0xyz.getByRole('button', { name: 'Ask', exact: true }).click()
  await n0xyz.getByText('Waits for W1AW to decide').waitFor()
  const key = await n0xyz.locator('.fingerprint').textContent()
  await n0xyz.reload()
  await n0xyz.getByText('Waits for W1AW to decide').waitFor()

  await openSection('Decide')
  await owner.getByText('The one with the red van').waitFor()
  assert.equal(await owner.locator('.fingerprint').first().textContent(), key)
  await owner.getByRole('button', { name: 'Vouch for N0XYZ' }).click()
  await owner.getByText('Nothing waits for you.').waitFor()
  await n0xyz.getByText('Connected as N0XYZ, verified').waitFor()
})

step('with a root of the owner’s choice, a Logbook of the World file makes an operator', async () => {
  const logbook = await makeLogbook(folder, 'KD7LTW', 'logbook')
  const page = await openPage(browsers.there)
  const prove = async () => {
    await page.goto(`${secure}/#/become`)
    await page.getByLabel('Your callsign').fill('kd7ltw')
    await page.getByText('With a Logbook of the World certificate', { exact: true }).click()
    await page.locator('input[type=file]').setInputFiles(logbook.file)
    await page.getByLabel('Its password').fill('logbook')
    await page.getByRole('button', { name: 'Prove my licence' }).click()
  }
  await prove()
  await page.getByRole('alert').getByText('You have no certificate yet.').waitFor()

  await openSection('Roots')
  await owner.getByLabel('A certificate file').setInputFiles(logbook.root)
  await owner.getByRole('button', { name: 'Look into the file' }).click()
  await owner.getByRole('checkbox', { name: /Test Root/ }).check()
  await owner.getByLabel('A note').fill('Made for this test')
  await owner.getByRole('button', { name: 'They match: add' }).click()
  await owner.getByText('1 root was added.').waitFor()

  await prove()
  await page.getByText('Connected as KD7LTW, verified').waitFor()
  await page.context().close()
})

step('whatever was issued stands in the log, whose chain holds', async () => {
  await openSection('Log')
  await owner.getByRole('cell', { name: 'K1ABC' }).waitFor()
  await owner.getByRole('cell', { name: 'N0XYZ' }).waitFor()
  await owner.getByRole('cell', { name: 'KD7LTW' }).waitFor()
  await owner.getByRole('button', { name: 'Check the log' }).click()
  await owner.getByText('The log is whole').waitFor()
  const saved = owner.waitForEvent('download')
  await owner.getByRole('button', { name: 'Save the log' }).click()
  const text = await readFile(await (await saved).path(), 'utf8')
  assert.match(text, /K1ABC[\s\S]*N0XYZ/)
})

step('an operator vouches with their own key, and takes the word back', async () => {
  // A key that another program made, and that nobody here knows.
  const stranger = await makeOperator(folder, '2E0ABC')
  const page = await openPage(browsers.there)
  await page.goto(`${secure}/#/station`)
  await page.getByLabel('The .p12 file').setInputFiles(keyFile(stranger, 'correct horse'))
  await page.getByLabel('Its password').fill('correct horse')
  await page.getByRole('button', { name: 'Log in with this key' }).click()
  await page.getByRole('button', { name: 'They match: trust this server' }).click()
  await page.getByText('Connected as a guest: your key is not trusted here').waitFor()
  await page.getByRole('link', { name: 'Certificates' }).click()
  await page.getByText('Nobody trusted here vouches for you yet').waitFor()

  await k1abc.goto(`${secure}/#/certificate/${stranger.fingerprint}`)
  await k1abc.getByText('Not trusted here').first().waitFor()
  await k1abc.getByRole('button', { name: 'I checked their licence' }).click()
  await k1abc.getByRole('button', { name: 'Vouch for 2E0ABC' }).click()
  await page.getByText('Vouched for by K1ABC, checked in person').waitFor()
  await page.getByText('Connected as 2E0ABC, verified').waitFor()

  await k1abc.goto(`${secure}/#/certificates/people`)
  await k1abc.getByLabel('Callsign').fill('2E0')
  await k1abc.locator('.certificate-rows > li').filter({ hasText: 'Vouched for by K1ABC' }).getByRole('link').click()
  await k1abc.getByRole('button', { name: 'Take back my word' }).click()
  await k1abc.getByLabel('Type 2E0ABC to confirm').fill('2e0abc')
  await k1abc.getByRole('button', { name: 'Take it back' }).click()
  await page.getByText('You are a guest here now').waitFor()
  await page.context().close()
})

async function openSection(name) {
  await owner.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /^Certificates/ }).click()
  await owner.getByRole('navigation', { name: 'Certificates' }).getByRole('link', { name }).click()
}
