/**
 * How soon servers know of each other, on two machines made of network namespaces; run by
 * `cargo xtask bench discovery`. Prints one figure a line: what, measured, budget, with tabs between.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
// First of ours: it puts all on a network of its own.
import { addressThere, twoMachines } from '../e2e/support/network.mjs'
import { claim, makeOperator } from '../e2e/support/foreign.mjs'
import { startServer } from '../e2e/support/server.mjs'

const rounds = 10
const deadline = 200_000

const folder = await mkdtemp(join(tmpdir(), 'ham-server-bench-'))
const machines = await twoMachines(folder)
const ip = (...words) => execFileSync('ip', words)
const there = (...words) => execFileSync(machines.there[0], [...machines.there.slice(1), 'ip', ...words])

// It is asked more often than people ask.
const server = await startServer(join(folder, 'w1aw'), 8080, { flags: ['--limit', 'address-requests-per-second=1000'] })
await claim(server, await makeOperator(folder, 'W1AW'))
const hidden = await startServer(join(folder, 'k1abc'), 8099, { flags: ['--no-lan'] })
await claim(hidden, await makeOperator(folder, 'K1ABC'))
await hidden.stop()
let other

try {
  const [came, left, returned, moved] = [[], [], [], []]
  // The kernel takes up to a second to call a new cable up, and until then nobody uses it.
  await timed(() => JSON.parse(there('-json', 'link', 'show', 'cable'))[0].operstate === 'UP')
  for (let round = 0; round < rounds; round++) {
    const starting = startOther()
    came.push(await timed(() => lists(1)))
    other = await starting
    const stopping = other.stop()
    left.push(await timed(() => lists(0)))
    await stopping
  }
  figure('A server is listed by another after its start', spread(came), 'under 1 s')
  figure('One that stops is gone', spread(left), 'within 5 s')

  other = await startOther()
  await timed(() => lists(1))
  for (let round = 0; round < rounds; round++) {
    ip('link', 'set', 'cable', 'down')
    await timed(() => lists(0))
    ip('link', 'set', 'cable', 'up')
    returned.push(await timed(() => lists(1)))
  }
  figure('Both list each other after the network was lost and came back', spread(returned), 'within 10 s')

  let address = addressThere
  for (let round = 0; round < rounds; round++) {
    const next = round % 2 === 0 ? '10.77.0.9' : addressThere
    there('address', 'del', `${address}/24`, 'dev', 'cable')
    there('address', 'add', `${next}/24`, 'brd', '+', 'dev', 'cable')
    moved.push(await timed(() => lists(1, next)))
    address = next
  }
  figure('A new address of one is listed by the other', spread(moved), 'within 10 s')

  await other.stop('SIGKILL')
  const gone = await timed(() => lists(0))
  figure('One that was killed is gone', `${(gone / 1000).toFixed(0)} s`, 'within 150 s')
} finally {
  await other?.stop('SIGKILL')
  await server.stop()
  machines.close()
  await rm(folder, { recursive: true, force: true })
}

function startOther() {
  return startServer(join(folder, 'k1abc'), 8080, { enter: machines.there, host: addressThere })
}

/** Whether our server lists so many others, and the one at an address if one is named. */
async function lists(count, address) {
  const { servers } = await (await fetch(`${server.local}/api/local-servers`)).json()
  const there = address === undefined || servers.some(({ endpoint }) => endpoint.includes(`//${address}:`))
  return servers.length === count && there
}

/** Milliseconds until it is so. */
async function timed(isSo) {
  const began = performance.now()
  while (!(await isSo())) {
    if (performance.now() - began > deadline) throw new Error('it did not come about')
    await pause(5)
  }
  return performance.now() - began
}

function spread(times) {
  times.sort((one, next) => one - next)
  const median = times[Math.floor(times.length / 2)]
  return `${median.toFixed(0)} ms median, ${times.at(-1).toFixed(0)} ms at most, of ${times.length}`
}

function figure(...columns) {
  console.log(columns.join('\t'))
}
