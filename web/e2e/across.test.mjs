/**
 * Three servers in a line, on two machines: people at the outer two see each other and talk, through the server in
 * the middle, which alone has a link to both.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, bound, twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { entry, logIn, openPage, personIn, write } from './support/pages.mjs'
import { binary, startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

let folder
let machines
/** W1AW's and N0XYZ's here, the first for its own machine only; K1ABC's there, for that machine only. */
let w1aw
let middle
let k1abc
const browsers = []
/** W1AW at their server here, K1ABC at theirs there. */
let here
let there

const outer = ['--no-lan', '--no-mdns']

/** Runs a command for a server's data folder, at its machine. */
function command(name, words, enter = []) {
  const [program, ...rest] = [...enter, binary, '--data-dir', join(folder, name), ...words]
  return execFileSync(program, rest, { encoding: 'utf8' })
}

/** Waits until a server knows of these others, over a link or through others. */
async function sees(name, callsigns, enter) {
  await until(`${name} to know of ${callsigns}`, () => {
    const peers = JSON.parse(command(name, ['peers', 'list', '--json'], enter))
    return callsigns.every((callsign) => peers.some((peer) => peer.callsign === callsign && ['linked', 'reachable'].includes(peer.state)))
  })
}

/** The owner compares a root and accepts it. */
async function accept(name, callsign, operator, enter) {
  await until(`${callsign}'s server to come to ${name}`, () => command(name, ['peers', 'list'], enter).includes(callsign))
  command(name, ['peers', 'accept', callsign, '--fingerprint', operator.fingerprint], enter)
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-across-'))
  machines = await twoMachines(folder)
  const root = await makeOperator(folder, 'W1AW')
  const other = await makeOperator(folder, 'K1ABC', root)
  w1aw = await startServer(join(folder, 'w1aw'), 8080, { flags: outer })
  await claim(w1aw, root)
  middle = await startServer(join(folder, 'middle'), 8082, { flags: ['--no-mdns'] })
  await claim(middle, await makeOperator(folder, 'N0XYZ', root))
  const hidden = await startServer(join(folder, 'k1abc'), 8099, { flags: outer })
  await claim(hidden, other)
  await hidden.stop()
  const words = ['--port', '8081', '--data-dir', join(folder, 'k1abc'), ...outer]
  k1abc = spawn(...bound(...machines.there, binary, ...words), { stdio: 'ignore' })
  await until('the server there', () => command('k1abc', ['status'], machines.there))

  command('w1aw', ['peers', 'add', 'http://localhost:8082'])
  await accept('middle', 'W1AW', root)
  command('k1abc', ['peers', 'add', `http://${addressHere}:8082`], machines.there)
  await accept('k1abc', 'N0XYZ', root, machines.there)
  await sees('w1aw', ['N0XYZ', 'K1ABC'])
  await sees('k1abc', ['N0XYZ', 'W1AW'], machines.there)

  browsers.push(await machines.browserHere())
  browsers.push(await machines.browserThere())
  here = await openPage(browsers[0])
  await logIn(here, w1aw.local, root)
  there = await openPage(browsers[1])
  await logIn(there, 'http://localhost:8081', other)
})

after(async () => {
  for (const browser of browsers) await browser.close()
  await w1aw?.stop()
  await middle?.stop()
  k1abc?.kill()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('each sees the other, verified, and at whose server they are', async () => {
  await personIn(here, 'K1ABC').getByText('Operator, verified, at K1ABC’s server').waitFor()
  await personIn(there, 'W1AW').getByText('Operator, verified, at W1AW’s server').waitFor()
})

step('they talk, browser to browser', async () => {
  await personIn(here, 'K1ABC').click()
  await personIn(there, 'W1AW').getByText('connected', { exact: true }).waitFor()
  await personIn(there, 'W1AW').click()
  await write(here, 'CQ de W1AW')
  await entry(there, 'CQ de W1AW').waitFor()
  await write(there, 'W1AW de K1ABC')
  await entry(here, 'W1AW de K1ABC').waitFor()
})

step('the server in the middle dies: the others are out of reach, and the conversation goes on', async () => {
  await middle.stop('SIGKILL')
  await until('the others to be out of reach', () => {
    const peers = JSON.parse(command('w1aw', ['peers', 'list', '--json']))
    return !peers.some((peer) => ['linked', 'reachable'].includes(peer.state))
  })
  await write(here, 'the middle is gone')
  await entry(there, 'the middle is gone').waitFor()
})
