/**
 * Browsers hide their addresses behind names that multicast resolves. Calls open with multicast, and where it
 * is blocked by the address that the server sees: an operator's at the server's own machine, and a guest's.
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

let folder
let machines
let server
let operator
let here
let there
let owner
let guest

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-hidden-'))
  machines = await twoMachines(folder)
  operator = await makeOperator(folder, 'W1AW')
  here = await machines.browserHere()
  there = await machines.browserThere()
})

after(async () => {
  await here?.close()
  await there?.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('with multicast a call opens, and no address is told by the server', async () => {
  await start('--no-observed-candidates')
  await claim(server, operator)
  const told = await meet()
  await talk()
  assert.ok(told.length > 0)
  assert.ok(told.every((address) => address.endsWith('.local')), told.join())
})

step('where multicast is blocked it does not open without that address', async () => {
  for (const chain of ['INPUT', 'OUTPUT']) {
    const words = ['iptables', '--append', chain, '--destination', '224.0.0.0/4', '--jump', 'DROP']
    execFileSync(machines.there[0], [...machines.there.slice(1), ...words])
  }
  await meet()
  await call()
  await owner.getByText(/^No connection to Guest/).first().waitFor()
})

step('it opens by the address that the server sees', async () => {
  await start()
  const told = await meet()
  await talk()
  // The owner is at the server's machine, so it is the server's own address.
  assert.ok(told.includes(addressHere), told.join())
})

/** Starts the server, or starts it anew. */
async function start(...flags) {
  await server?.stop()
  server = await startServer(join(folder, 'data'), 8080, { flags })
}

/** The owner and a guest come to the server. Gives the addresses in candidates that the guest is told from now on. */
async function meet() {
  await guest?.context().close()
  await owner?.context().close()
  owner = await openPage(here)
  await logIn(owner, server.local, operator)
  guest = await openPage(there)
  const told = []
  guest.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const { type, candidate } = JSON.parse(payload)
      const address = type === 'ICE_CANDIDATE_RECEIVED' && candidate.candidate.split(' ')[4]
      if (address) told.push(address)
    }),
  )
  await guest.goto(`http://${addressHere}:8080`)
  return told
}

/** The owner calls the guest, and they write to each other. */
async function talk() {
  await call()
  await guest.getByRole('button', { name: 'Open the conversation' }).click()
  await write(owner, 'CQ de W1AW')
  await entry(guest, 'CQ de W1AW').waitFor()
  await write(guest, 'Hello from the other side')
  await entry(owner, 'Hello from the other side').waitFor()
}

async function call() {
  await personIn(owner, 'Guest').click()
}
