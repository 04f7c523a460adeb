/**
 * A page that has lost its server and waits to try again, while something happens that makes waiting pointless: it comes
 * back into view, it comes back from the browser's cache of pages, the device finds a network. Each time the page is
 * made to wait for most of an hour, so that whatever connects it before is not the wait.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { logIn } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { untouchedBrowser } from './support/untouched.mjs'
import { until } from './support/wait.mjs'

let folder
let machines
let server
let elsewhere
let browser
let page
let devtools

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-wake-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  elsewhere = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>another page</p>'))
  await once(elsewhere.listen(0, '127.0.0.1'), 'listening')
  const w1aw = await makeOperator(folder, 'W1AW')
  await claim(server, w1aw)
  browser = await untouchedBrowser(folder)
  page = browser.page
  devtools = await page.context().newCDPSession(page)
  // Before the app's own listeners: each step lets only those events through that it is about.
  await page.addInitScript(() => {
    globalThis.happened = []
    globalThis.hushed = []
    const note = (event) => {
      const what = event.type === 'visibilitychange' ? document.visibilityState : event.persisted ? 'returned' : event.type
      globalThis.happened.push(what)
      if (globalThis.hushed.includes(event.type)) event.stopImmediatePropagation()
    }
    for (const type of ['visibilitychange', 'freeze', 'resume']) document.addEventListener(type, note, { capture: true })
    for (const type of ['pageshow', 'online']) addEventListener(type, note, { capture: true })
  })
  await logIn(page, server.local, w1aw)
})

after(async () => {
  await browser?.close()
  await server?.stop()
  elsewhere?.close()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('a page that was frozen out of sight comes back into view', async () => {
  await loseTheServer(['pageshow', 'online'])
  const inFront = await page.context().newPage()
  await until('the page to be out of sight', async () => (await happened()).includes('hidden'))
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
  server = await startServer(join(folder, 'data'), server.port)
  await devtools.send('Page.setWebLifecycleState', { state: 'active' })
  await inFront.close()
  await page.bringToFront()
  await connected()
  assert.deepEqual(await happened(), ['hidden', 'freeze', 'resume', 'visible'])
})

step('a page comes back from the cache of pages', async () => {
  await loseTheServer(['visibilitychange', 'online'])
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`)
  await page.getByText('another page').waitFor()
  server = await startServer(join(folder, 'data'), server.port)
  await page.goBack({ waitUntil: 'commit' })
  await connected()
  assert.ok((await happened()).includes('returned'), 'it was loaded anew')
})

step('the device finds a network', async () => {
  await loseTheServer(['visibilitychange', 'pageshow'])
  await page.context().setOffline(true)
  server = await startServer(join(folder, 'data'), server.port)
  await page.context().setOffline(false)
  await connected()
  assert.deepEqual(await happened(), ['online'])
})

/** The server dies, and the page waits. Events of these types are from now on kept from the app. */
async function loseTheServer(hushed) {
  await page.evaluate((types) => {
    // All waits are drawn by this.
    Math.random = () => 10_000
    globalThis.happened = []
    globalThis.hushed = types
  }, hushed)
  await server.stop('SIGKILL')
  await page.getByText('No connection to W1AW’s server').first().waitFor()
}

async function connected() {
  await page.getByText('Connected as W1AW, verified').waitFor()
}

function happened() {
  return page.evaluate(() => globalThis.happened)
}
