/**
 * Ways: whether there is internet, without calling anybody; what is in the way of calls; and amateur
 * frequencies, where nothing may be encrypted.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, addressThere, bound, twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { homeThatTrusts } from './support/home.mjs'
import { entry, logIn, openPage, personIn, write } from './support/pages.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

/** An address behind the machine there, as one on an AREDN network. */
const behindRouter = '10.7.7.7'
/** An address of nobody (RFC 5737). */
const anywhere = '192.0.2.1'

let folder
let machines
let server
let operator
let browser
let ownersBrowser
let page

const ip = (...words) => execFileSync('ip', words, { encoding: 'utf8' })
const there = (...words) => execFileSync(machines.there[0], [...machines.there.slice(1), ...words], { encoding: 'utf8' })

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-ways-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  operator = await makeOperator(folder, 'W1AW')
  await claim(server, operator)
})

after(async () => {
  await browser?.close()
  await ownersBrowser?.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('loss and return of the way out are noticed, and nobody is called', async () => {
  assert.equal(await mode(), 'online')
  const before = strayPackets()
  ip('route', 'del', 'default')
  await modeIs('offline')
  ip('route', 'add', 'default', 'via', addressThere)
  await modeIs('online')
  there('ip', 'link', 'set', 'cable', 'down')
  await modeIs('offline')
  there('ip', 'link', 'set', 'cable', 'up')
  there('ip', 'route', 'add', 'default', 'via', addressHere)
  await modeIs('online')
  assert.equal(strayPackets(), before)
  // The counter does count.
  await until('a packet for somebody else to be counted', () => {
    // One may be lost while the neighbour across the cable is looked for again.
    execFileSync('bash', ['-c', `echo > /dev/udp/${anywhere}/9`])
    return strayPackets() > before
  })
})

step('somebody whom the owner names tells more', async () => {
  const answering = async () => {
    const script = `require('net').createServer().listen(9000, '${addressThere}', () => console.log('ready'))`
    const listener = spawn(...bound(...machines.there, process.execPath, '-e', script))
    await once(listener.stdout, 'data')
    return listener
  }
  let listener = await answering()
  const flags = ['--internet-probe', `${addressThere}:9000`, '--no-mdns']
  const other = await startServer(join(folder, 'other'), 8090, { flags })
  try {
    await modeIs('online', other)
    listener.kill()
    await modeIs('offline', other)
    listener = await answering()
    await modeIs('online', other)
  } finally {
    listener.kill()
    await other.stop()
  }
})

step('nothing is in the way on an ordinary network but the certificate', async () => {
  browser = await machines.browserThere()
  page = await openPage(browser)
  await page.goto(`http://${addressHere}:8080/#/diagnosis`)
  await found(page, 'Device discovery', 'in order')
  await found(page, 'This device’s address', 'in order')
  await found(page, 'A way onto the network', 'in order')
  await found(page, 'The secure address', 'in the way')
  await page.getByText('One thing is in the way').waitFor()
})

step('multicast that is blocked is named', async () => {
  there('iptables', '--append', 'INPUT', '--destination', '224.0.0.0/4', '--jump', 'DROP')
  there('iptables', '--append', 'OUTPUT', '--destination', '224.0.0.0/4', '--jump', 'DROP')
  await page.getByRole('button', { name: 'Look again' }).click()
  await found(page, 'Device discovery', 'in the way')
  await found(page, 'A way onto the network', 'in order')
  there('iptables', '--flush')
})

step('a missing default route is named, and the microphone is the way out on the secure address', async () => {
  await browser.close()
  for (const word of [ip, (...words) => there('ip', ...words)]) word('route', 'del', 'default')
  // Chromium does not notice that a route goes, only that it is not there.
  browser = await machines.browserThere()
  page = await openPage(browser)
  await page.goto(`http://${addressHere}:8080/#/diagnosis`)
  await found(page, 'A way onto the network', 'in the way')
  await browser.close()

  const root = await (await fetch(`${server.local}/trust/ca.crt`)).arrayBuffer()
  await writeFile(join(folder, 'ca.crt'), Buffer.from(root))
  const home = await homeThatTrusts(folder, join(folder, 'ca.crt'))
  browser = await machines.browserThere({ home, args: ['--use-fake-device-for-media-stream'] })
  const context = await browser.newContext()
  page = await context.newPage()
  await page.goto(`https://${addressHere}:8080/#/diagnosis`)
  await found(page, 'A way onto the network', 'in the way')
  await found(page, 'The secure address', 'in order')
  ownersBrowser = await machines.browserHere()
  const owner = await openPage(ownersBrowser)
  await logIn(owner, server.local, operator)
  await personIn(owner, 'Guest').click()
  await owner.getByText(/^This browser found no way onto the network/).waitFor()

  // What a person answers when the browser asks. At one end it is enough.
  await context.grantPermissions(['microphone'])
  await page.getByRole('button', { name: 'Allow the microphone' }).click()
  await found(page, 'A way onto the network', 'in order')
  await page.getByRole('link', { name: 'People' }).first().click()
  await owner.getByRole('button', { name: /^Call Guest .*again$/ }).click()
  await page.getByRole('button', { name: 'Open the conversation' }).click()
  await write(owner, 'CQ de W1AW')
  await entry(page, 'CQ de W1AW').waitFor()
  await write(page, 'Hello without a route')
  await entry(owner, 'Hello without a route').waitFor()
  await browser.close()
  browser = undefined
})

step('across amateur frequencies there is no TLS, and the page says why', async () => {
  there('ip', 'address', 'add', `${behindRouter}/32`, 'dev', 'lo')
  ip('route', 'add', behindRouter, 'via', addressThere)
  there('ip', 'route', 'replace', 'default', 'via', addressHere, 'src', behindRouter)
  there('ip', 'route', 'replace', '10.77.0.0/24', 'dev', 'cable', 'src', behindRouter)

  const judged = there('sh', '-c', `openssl s_client -connect ${addressHere}:8080 </dev/null 2>&1 || true`)
  assert.match(judged, /alert access denied/)
  browser = await machines.browserThere()
  const refused = await openPage(browser)
  await assert.rejects(refused.goto(`https://${addressHere}:8080/`), /net::ERR_SSL/)
  page = await openPage(browser)
  await page.goto(`http://${addressHere}:8080/#/trust`)
  await page.getByText(`You reach this server across amateur frequencies: ${behindRouter} is behind a router`).waitFor()
  await page.goto(`http://${addressHere}:8080/#/diagnosis`)
  await found(page, 'Amateur frequencies', 'in the way')
})

async function mode(of = server) {
  return (await (await fetch(`${of.local}/api/status`)).json()).mode
}

function modeIs(wanted, of) {
  return until(`the server to be ${wanted}`, async () => (await mode(of)) === wanted)
}

/** Packets that came to the machine there for somebody else, by its kernel's own count. */
function strayPackets() {
  const [names, values] = there('cat', '/proc/net/snmp').split('\n').filter((line) => line.startsWith('Ip:')).map((line) => line.split(' '))
  return Number(values[names.indexOf('InAddrErrors')])
}

/** Waits for one finding of the diagnosis. */
function found(on, matter, state) {
  return on.getByRole('heading', { name: `${matter}: ${state}` }).waitFor()
}
