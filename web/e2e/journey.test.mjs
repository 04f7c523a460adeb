/**
 * The main path, by two people at two machines with a real browser each: one starts a server and
 * claims it, the other opens the address in its QR code, and they talk and pass files directly.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, twoMachines } from './support/network.mjs'
import { entry, openPage, personIn, write } from './support/pages.mjs'
import { Traffic, cableBytes, joiningUrl, startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

const megabyte = 1_000_000
const password = 'correct horse battery'

let folder
let machines
let server
/** The owner's and the guest's pages, each in a browser of its own. */
let owner
let guest

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-journey-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  owner = await openPage(await machines.browserHere())
  guest = await openPage(await machines.browserThere())
})

after(async () => {
  await owner?.context().browser().close()
  await guest?.context().browser().close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('the owner claims the server on its own machine', async () => {
  await owner.goto(server.local)
  await owner.getByLabel('Your callsign').fill('w1aw')
  await owner.getByLabel('Name').fill('Hiram')
  await owner.getByLabel('Grid square').fill('FN31pr')
  await owner.getByRole('button', { name: 'Claim as W1AW' }).click()
  await owner.getByText('Connected as W1AW, verified').waitFor()

  const status = await (await fetch(`${server.local}/api/status`)).json()
  assert.equal(status.state, 'active')
  assert.equal(status.owner, 'W1AW')
})

step('the owner saves the key, and a foreign program can open the file', async () => {
  await owner.getByRole('button', { name: 'Save a copy' }).click()
  await owner.getByLabel('A password for the file').fill(password)
  await owner.getByLabel('The same password again').fill(password)
  const saved = owner.waitForEvent('download')
  await owner.getByRole('button', { name: 'Save the .p12 file' }).click()
  const file = join(folder, 'owner.p12')
  await (await saved).saveAs(file)

  const read = (...words) => execFileSync('openssl', ['pkcs12', '-in', file, '-passin', `pass:${password}`, ...words])
  assert.match(read('-nodes', '-nocerts').toString(), /BEGIN PRIVATE KEY/)
  const certificate = execFileSync('openssl', ['x509', '-noout', '-subject'], { input: read('-nokeys') })
  assert.match(certificate.toString(), /CN ?= ?W1AW/)
})

step('a visitor opens the address in the QR code and is there as a guest', async () => {
  const url = await joiningUrl(server, folder)
  assert.match(url, new RegExp(`^http://${addressHere}:${server.port}/#join=1\\.[0-9a-f]{64}$`))
  await guest.goto(url)
  await guest.getByText('Connected as a guest', { exact: true }).waitFor()
  await personIn(guest, 'W1AW').waitFor()
  await personIn(owner, 'Guest').waitFor()
})

step('the owner calls the guest and they write to each other', async () => {
  await personIn(owner, 'Guest').click()
  await owner.getByText(/^Connected to Guest/).waitFor()
  await guest.getByRole('button', { name: 'Open the conversation' }).click()
  await guest.getByText('Connected to W1AW', { exact: true }).waitFor()

  await write(owner, 'CQ de W1AW')
  await entry(guest, 'CQ de W1AW').waitFor()
  await write(guest, 'Hello from the other side')
  await entry(owner, 'Hello from the other side').waitFor()
})

step('a file of 20 MB arrives whole, and the server carries none of it', async () => {
  const content = randomBytes(20 * megabyte)
  const file = join(folder, 'map.bin')
  await writeFile(file, content)
  const cableBefore = cableBytes()
  const traffic = new Traffic(server)

  await owner.locator('input[type=file]').setInputFiles(file)
  await guest.getByRole('button', { name: 'Accept map.bin' }).click()
  const arrived = guest.getByText('The file arrived complete: its fingerprint matches.')
  await until('the file to arrive', () => {
    // Looked at often, so that no connection comes and goes unseen.
    assert.ok(traffic.bytes < 100_000, 'the server carries the file')
    return arrived.isVisible()
  })
  await owner.getByText('It arrived complete: the fingerprint matches.').waitFor()
  assert.ok(traffic.bytes < 100_000, `${traffic.bytes} bytes passed through the server`)
  // What was measured is real: the file crossed the cable, and one request does count.
  assert.ok(cableBytes() - cableBefore > content.length, 'the file did not cross the cable')
  const quiet = traffic.bytes
  await fetch(`${server.local}/api/info`)
  assert.ok(traffic.bytes > quiet, 'the traffic of a request was not counted')

  const saved = guest.waitForEvent('download')
  await guest.getByRole('link', { name: 'Save the file' }).click()
  const copy = await readFile(await (await saved).path())
  assert.equal(sha256(copy), sha256(content))
})

step('a running transfer can be cancelled, and the conversation goes on', async () => {
  const file = join(folder, 'too-much.bin')
  const handle = await open(file, 'w')
  await handle.truncate(200 * megabyte)
  await handle.close()

  await owner.locator('input[type=file]').setInputFiles(file)
  await guest.getByRole('button', { name: 'Accept too-much.bin' }).click()
  await owner.getByRole('progressbar', { name: 'too-much.bin, progress' }).waitFor()
  await guest.getByRole('button', { name: 'Cancel too-much.bin' }).click()
  await guest.getByText('You stopped this file.').waitFor()
  await owner.getByText(/^Guest .* stopped this file\.$/).waitFor()
  for (const page of [owner, guest]) {
    assert.equal(await page.getByRole('progressbar').count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Cancel too-much.bin' }).count(), 0)
  }
  await write(owner, 'never mind the file')
  await entry(guest, 'never mind the file').waitFor()
})

step('a conversation outlives the server, and the people come back with it', async () => {
  await server.stop('SIGKILL')
  await owner.getByText('No connection to W1AW’s server').first().waitFor()
  await write(owner, 'the server is gone')
  await entry(guest, 'the server is gone').waitFor()
  await write(guest, 'we are not')
  await entry(owner, 'we are not').waitFor()

  server = await startServer(join(folder, 'data'), server.port)
  await owner.getByText('Connected as W1AW, verified').waitFor()
  await guest.getByText('Connected as a guest', { exact: true }).waitFor()
  await personIn(owner, 'Guest').first().waitFor()
  await personIn(guest, 'W1AW').first().waitFor()
  const status = await (await fetch(`${server.local}/api/status`)).json()
  assert.deepEqual(status.clients, { licensed: 1, unlicensed: 1 })
  await write(owner, 'the server is back')
  await entry(guest, 'the server is back').waitFor()
})

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
