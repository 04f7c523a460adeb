/**
 * Two servers on one network, and one of them dies: its people go to the other, from plain pages and from a secure
 * one, their conversation goes on all the while, and they come back once their own server does.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, addressThere, twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { entry, logIn, openPage, personIn, write } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

let folder
let machines
/** W1AW's, here, and K1ABC's, there. W1AW vouches for K1ABC, and so knows that server by a path. */
let w1aw
let k1abc
const browsers = []
/** At the machine of W1AW's server; there on plain http; there on the secure address. */
let owner
let plain
let secure

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-failover-'))
  machines = await twoMachines(folder)
  const operator = await makeOperator(folder, 'W1AW')
  w1aw = await startServer(join(folder, 'w1aw'))
  await claim(w1aw, operator)
  const hidden = await startServer(join(folder, 'k1abc'), 8099, { flags: ['--no-lan'] })
  await claim(hidden, await makeOperator(folder, 'K1ABC', operator))
  await hidden.stop()
  k1abc = await startServer(join(folder, 'k1abc'), 8081, { enter: machines.there, host: addressThere })
  await until('the servers to hear of each other', async () => {
    const { servers } = await (await fetch(`${w1aw.local}/api/local-servers`)).json()
    return servers.length > 0
  })

  const roots = await Promise.all([w1aw, k1abc].map((server, index) => saveRoot(server, join(folder, `${index}.crt`))))
  const home = await homeThatTrusts(folder, ...roots)
  browsers.push(await machines.browserHere())
  browsers.push(await machines.browserThere({ home, args: [`--host-resolver-rules=MAP w1aw.local ${addressHere}`] }))
  owner = await openPage(browsers[0])
  await logIn(owner, w1aw.local, operator)
  plain = await openPage(browsers[1])
  await plain.goto(`http://${addressHere}:8080`)
})

after(async () => {
  for (const browser of browsers) await browser.close()
  await w1aw?.stop()
  await k1abc?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('the owner and a guest talk', async () => {
  await personIn(owner, 'Guest').click()
  await plain.getByRole('button', { name: 'Open the conversation' }).click()
  await write(owner, 'CQ de W1AW')
  await entry(plain, 'CQ de W1AW').waitFor()
  secure = await openPage(browsers[1])
  await secure.goto('https://w1aw.local:8080')
  await secure.getByText('Connected as a guest', { exact: true }).waitFor()
})

step('their server dies, they are at the other, and the conversation goes on', async () => {
  await w1aw.stop('SIGKILL')
  await write(owner, 'the server is gone')
  await entry(plain, 'the server is gone').waitFor()
  for (const page of [owner, plain, secure]) {
    await page.getByText('W1AW’s server does not answer').waitFor()
    await page.getByText('You are at K1ABC’s server meanwhile').waitFor()
  }
  await write(plain, 'we are elsewhere')
  await entry(owner, 'we are elsewhere').waitFor()
  await owner.getByText('Connected to Guest').first().waitFor()
  assert.equal(new URL(secure.url()).origin, 'https://w1aw.local:8080')
})

step('who comes to the other server meets them', async () => {
  const visitor = await openPage(browsers[0])
  await visitor.goto(k1abc.local)
  await personIn(visitor, 'Guest').nth(1).waitFor()
  await secure.getByRole('link', { name: 'Open the page of K1ABC’s server' }).waitFor()
  await visitor.context().close()
})

step('their own server is back, and so are they', async () => {
  w1aw = await startServer(join(folder, 'w1aw'))
  await owner.getByText('Connected as W1AW, verified').waitFor()
  for (const page of [owner, plain, secure]) await page.getByText('meanwhile').waitFor({ state: 'detached' })
  await write(owner, 'back home')
  await entry(plain, 'back home').waitFor()
})

async function saveRoot(server, file) {
  await writeFile(file, Buffer.from(await (await fetch(`${server.local}/trust/ca.crt`)).arrayBuffer()))
  return file
}
