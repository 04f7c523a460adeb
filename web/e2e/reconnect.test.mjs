/**
 * A call of two operators at two machines, and everything around it taken away: the server stops, the cable
 * is pulled out until the browsers give up their way, and both come back. It is one call all along.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { entry, logIn, openPage, personIn, write } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

let folder
let machines
let server
let w1aw
let k1abc
let owner
let friend
/** The statements of all offers that the pages sent. */
const offered = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-reconnect-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  w1aw = await makeOperator(folder, 'W1AW')
  k1abc = await makeOperator(folder, 'K1ABC', w1aw)
  await claim(server, w1aw)
  owner = await openPage(await machines.browserHere())
  // A key needs a secure page, and how one gets there is another test's.
  const asSecure = `--unsafely-treat-insecure-origin-as-secure=http://${addressHere}:${server.port}`
  friend = await openPage(await machines.browserThere({ args: [asSecure] }))
  for (const page of [owner, friend]) {
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        const { type, statement } = JSON.parse(payload)
        if (type === 'OFFER') offered.push(statement)
      }),
    )
    await page.addInitScript(() => {
      const connections = []
      globalThis.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) {
          super(...given)
          connections.push(this)
        }
      }
      globalThis.stateOfWay = () => connections.at(-1)?.connectionState
    })
  }
})

after(async () => {
  await owner?.context().browser().close()
  await friend?.context().browser().close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('two operators talk', async () => {
  await logIn(owner, server.local, w1aw)
  await logIn(friend, `http://${addressHere}:${server.port}`, k1abc)
  await personIn(friend, 'W1AW').click()
  await friend.getByText('Connected to W1AW, verified').waitFor()
  await personIn(owner, 'K1ABC').click()
  await owner.getByText('K1ABC, vouched by W1AW in person').waitFor()
  await write(owner, 'CQ de W1AW')
  await entry(friend, 'CQ de W1AW').waitFor()
})

step('the server stops, and they talk on', async () => {
  await server.stop('SIGKILL')
  for (const page of [owner, friend]) await page.getByText('No connection to W1AW’s server').first().waitFor()
  await write(owner, 'the server is gone')
  await entry(friend, 'the server is gone').waitFor()
  await write(friend, 'we are not')
  await entry(owner, 'we are not').waitFor()
})

step('the cable is pulled out, and the way is lost', async () => {
  atThere('ip', 'link', 'set', 'cable', 'down')
  await owner.getByText('Lost the way to K1ABC. Looking for another').waitFor()
  await friend.getByText('Lost the way to W1AW. Looking for another').waitFor()
})

step('the server is back, and then the cable: they find a way again, in the same call', async () => {
  server = await startServer(join(folder, 'data'), server.port)
  await owner.getByText('Connected as W1AW, verified').waitFor()
  // Until then the old way would come back by itself.
  for (const page of [owner, friend]) await until('the way to be given up', () => page.evaluate(() => globalThis.stateOfWay() === 'failed'))
  atThere('ip', 'link', 'set', 'cable', 'up')
  atThere('ip', 'route', 'add', 'default', 'via', addressHere)

  await owner.getByText('Connected to K1ABC, verified').waitFor()
  await friend.getByText('Connected to W1AW, verified').waitFor()
  await owner.getByText('K1ABC, vouched by W1AW in person').waitFor()
  await write(friend, 'here again')
  await entry(owner, 'here again').waitFor()
  for (const text of ['CQ de W1AW', 'the server is gone', 'we are not']) assert.ok(await entry(owner, text).isVisible())
  assert.equal(new Set(offered.map(({ callId }) => callId)).size, 1)
  assert.ok(offered.length > 1 && offered.slice(1).some(({ counter }) => counter > 1), 'nobody looked for another way')
  assert.equal(await owner.getByText('was refused').count(), 0)
})

function atThere(...words) {
  const [program, ...rest] = [...machines.there, ...words]
  execFileSync(program, rest)
}
