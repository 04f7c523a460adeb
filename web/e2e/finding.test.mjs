/**
 * Finding a server from the app: by the camera, from a photo, by hand, where the browser can look, and once
 * the server it is at is gone.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, addressThere, twoMachines } from './support/network.mjs'
import { film } from './support/camera.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { openPage } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'

let folder
let machines
/** W1AW's, here, and K1ABC's, there. */
let w1aw
let k1abc
let browser
let page
/** K1ABC's code, as its server draws it. */
let code

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-finding-'))
  machines = await twoMachines(folder)
  w1aw = await startServer(join(folder, 'w1aw'))
  await claim(w1aw, await makeOperator(folder, 'W1AW'))
  const hidden = await startServer(join(folder, 'k1abc'), 8099, { flags: ['--no-lan'] })
  await claim(hidden, await makeOperator(folder, 'K1ABC'))
  await hidden.stop()
  k1abc = await startServer(join(folder, 'k1abc'), 8081, { enter: machines.there, host: addressThere })
})

after(async () => {
  await browser?.close()
  await w1aw?.stop()
  await k1abc?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('the camera reads the code of another server, and leads there', async () => {
  browser = await machines.browserHere()
  const maker = await openPage(browser)
  await maker.goto(k1abc.local)
  await film(maker, '/api/qr.png', join(folder, 'camera.y4m'))
  code = Buffer.from(await (await fetch(`${k1abc.local}/api/qr.png`)).arrayBuffer())
  await browser.close()

  const root = await (await fetch(`${w1aw.local}/trust/ca.crt`)).arrayBuffer()
  await writeFile(join(folder, 'ca.crt'), Buffer.from(root))
  browser = await machines.browserHere({
    home: await homeThatTrusts(folder, join(folder, 'ca.crt')),
    args: ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${join(folder, 'camera.y4m')}`],
  })
  page = await openPage(browser)
  await page.goto(`https://${addressHere}:8080/#/servers`)
  await page.getByRole('button', { name: 'Scan with the camera' }).click()
  await page.getByText('This leads to the server at').waitFor()
  // The camera is let go.
  assert.equal(await page.locator('video').count(), 0)
  await page.getByRole('link', { name: `Open ${addressThere}:8081` }).click()
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
  const { certFingerprint } = await (await fetch(`${k1abc.local}/api/info`)).json()
  assert.equal(page.url(), `http://${addressThere}:8081/#join=1.${certFingerprint}`)
})

step('a photo of the code does the same on a plain page', async () => {
  await page.goto(`http://${addressHere}:8080/#/servers`)
  await page.getByRole('heading', { name: 'Servers' }).waitFor()
  const photo = page.getByLabel('From a photo')
  await photo.setInputFiles({ name: 'note.txt', mimeType: 'image/png', buffer: Buffer.from('no picture') })
  await page.getByText('No code was found in this picture').waitFor()
  await photo.setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: code })
  await page.getByRole('link', { name: `Open ${addressThere}:8081` }).waitFor()
})

step('an address typed by hand is read, and nothing else', async () => {
  const address = page.getByLabel('Or paste a code’s text, or type an address')
  await address.fill('javascript:alert(1)')
  await page.getByRole('button', { name: 'Read it' }).click()
  await page.getByText('This leads to no server').waitFor()
  await address.fill(`${addressThere}:8081`)
  await page.getByRole('button', { name: 'Read it' }).click()
  await page.getByRole('link', { name: `Open ${addressThere}:8081` }).waitFor()
})

step('servers that are heard are shown, and are known when the server is gone', async () => {
  // The mDNS of a server that has just started takes a moment.
  const heard = page.getByRole('listitem').filter({ hasText: 'K1ABC' }).filter({ hasText: 'Answers' })
  for (let tries = 0; tries < 20 && (await heard.count()) === 0; tries++) {
    await page.getByRole('button', { name: 'Look again' }).click()
    await page.getByRole('button', { name: 'Look again' }).waitFor()
  }
  await heard.first().waitFor()
  await w1aw.stop()
  w1aw = undefined
  await page.getByRole('button', { name: 'Look again' }).click()
  await page.getByText('The server does not answer', { exact: true }).waitFor()
  const known = page.locator('.servers-place').filter({ hasText: 'Heard of before by this browser' })
  await known.getByText('Answers', { exact: true }).waitFor()
  await known.getByRole('link', { name: `${addressThere}:8081` }).click()
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
})
