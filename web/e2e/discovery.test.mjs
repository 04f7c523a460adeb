/**
 * Being found on the network, and finding others: what our mDNS says is judged by Avahi at another
 * machine, and two of our servers find each other.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, addressThere, bound, twoMachines } from './support/network.mjs'
import { startAvahi } from './support/avahi.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { binary, startServer } from './support/server.mjs'
import { until } from './support/wait.mjs'

let folder
let machines
let avahi
/** W1AW's server, here. */
let server
let fingerprint
const opened = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-discovery-'))
  machines = await twoMachines(folder)
  avahi = await startAvahi(machines)
  server = await startServer(join(folder, 'data'))
  opened.push(server)
})

after(async () => {
  for (const thing of opened.reverse()) await thing.stop()
  avahi?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

test('a server that nobody owns is not announced; claimed, it is, with all that others need', async () => {
  assert.deepEqual(avahi.browse('_hamradio._tcp'), [])
  await claim(server, await makeOperator(folder, 'W1AW'))
  const info = await (await fetch(`${server.local}/api/info`)).json()
  fingerprint = info.certFingerprint
  const txt = {
    callsign: 'W1AW',
    version: info.version,
    capabilities: info.capabilities.join(','),
    signalingEndpoint: '/signal',
    signalingProtocol: 'ws',
    fp: fingerprint.slice(0, 16),
  }
  const hosts = { '_hamradio._tcp': `w1aw-${txt.fp}.local`, '_hamradio-signal._tcp': 'w1aw.local' }
  for (const [kind, host] of Object.entries(hosts)) {
    const [service, ...others] = await found(kind)
    assert.deepEqual(service.txt, txt, kind)
    assert.deepEqual([service.host, service.address, service.port], [host, addressHere, server.port])
    assert.ok(service.name.startsWith('W1AW '), service.name)
    assert.deepEqual(others, [])
  }
  const [web] = await found('_http._tcp')
  assert.deepEqual(web.txt, { path: '/' })
  assert.deepEqual([web.host, web.address, web.port], ['ham-server.local', addressHere, server.port])
  assert.equal(await resolved('W1AW.local'), addressHere)
  assert.equal(await resolved('ham-server.local'), addressHere)
  assert.equal(await status(addressHere, `w1aw-${txt.fp}.local:8080`), 200)
})

test('servers find each other, lose who stops, and never list themselves', async () => {
  const other = await startThere('K1ABC')
  const [heard] = await until('the other server to be listed', async () => listed(server, 1))
  assert.deepEqual(
    { ...heard, age: 0, fp: heard.fp.length },
    {
      callsign: 'K1ABC',
      endpoint: `http://${addressThere}:8080`,
      signalingUrl: `ws://${addressThere}:8080/signal`,
      capabilities: ['signaling', 'webrtc'],
      source: 'mdns',
      age: 0,
      fp: 16,
      verified: false,
    },
  )
  const [seen] = await until('the first server to be listed there', async () => listed(other, 1))
  assert.deepEqual([seen.callsign, seen.fp], ['W1AW', fingerprint.slice(0, 16)])
  await other.stop()
  await until('the stopped server to be gone', async () => listed(server, 0))
})

test('two servers with one callsign do not clash: one goes by a number, and answers to it', async () => {
  const other = await startThere('W1AW', 'second')
  const services = await until('both to be found', () => {
    const services = avahi.browse('_hamradio-signal._tcp')
    return services.length === 2 && new Set(services.map(({ host }) => host)).size === 2 && services
  })
  const places = services.map(({ host, address }) => `${host} ${address}`).sort()
  assert.deepEqual(places, [`w1aw-2.local ${addressThere}`, `w1aw.local ${addressHere}`])
  assert.equal(await resolved('w1aw-2.local'), addressThere)
  assert.equal(await resolved('ham-server-2.local'), addressThere)
  assert.equal(await resolved('w1aw.local'), addressHere)
  assert.equal(await status(addressThere, 'w1aw-2.local:8080'), 200)
  assert.equal(await status(addressThere, 'w1aw-3.local:8080'), 421)
  assert.equal(await status(addressHere, 'w1aw-2.local:8080'), 421)
  await until('the second to be listed by the first', async () => listed(server, 1))
  await other.stop()
})

test('a server that is closed to the network leaves it, and comes back when it is opened', async () => {
  const command = (word) => execFileSync(binary, ['--data-dir', join(folder, 'data'), word])
  command('close')
  await until('the server to be gone', () => avahi.browse('_hamradio._tcp').length === 0)
  command('open')
  await found('_hamradio._tcp')
})

test('a new address is followed', async () => {
  const change = (word, address) => execFileSync('ip', ['address', word, `${address}/24`, 'brd', '+', 'dev', 'cable'])
  change('del', addressHere)
  change('add', '10.77.0.9')
  await until('the new address to be found', async () => (await found('_hamradio._tcp'))[0].address === '10.77.0.9')
  change('del', '10.77.0.9')
  change('add', addressHere)
  await until('the old address to be found', async () => (await found('_hamradio._tcp'))[0].address === addressHere)
})

test('a network that is lost and comes back finds the server again', async () => {
  const other = await startThere('K1ABC', 'returning')
  await until('the other server to be listed', async () => listed(server, 1))
  execFileSync('ip', ['link', 'set', 'cable', 'down'])
  execFileSync('ip', ['link', 'set', 'cable', 'up'])
  await until('the services to be found', () => avahi.browse('_hamradio._tcp').some(({ address }) => address === addressHere))
  assert.equal(await resolved('w1aw.local'), addressHere)
  await until('the servers to list each other', async () => (await listed(server, 1)) && listed(other, 1))
  await other.stop()
})

test('with --no-mdns a server is silent and deaf', async () => {
  const silent = await startThere('N0XYZ', 'silent', ['--no-mdns'])
  // What comes after it is heard, so it would have been heard too.
  const loud = await startThere('K7RA', 'loud', [], 8081)
  await until('the later server to be listed', async () =>
    (await listed(server, 1))?.some(({ callsign }) => callsign === 'K7RA'),
  )
  assert.deepEqual(
    avahi.browse('_hamradio._tcp').map(({ txt }) => txt.callsign).sort(),
    ['K7RA', 'W1AW'],
  )
  assert.deepEqual(await listed(silent, 0), [])
  await loud.stop()
  await silent.stop()
})

test('with --interface a server is found by that interface only', async () => {
  const ipThere = (...words) => execFileSync(machines.there[0], [...machines.there.slice(1), 'ip', ...words])
  ipThere('link', 'add', 'spare', 'type', 'veth', 'peer', 'name', 'nowhere')
  ipThere('address', 'add', '10.78.0.1/24', 'dev', 'spare')
  for (const end of ['spare', 'nowhere']) ipThere('link', 'set', end, 'up')
  const away = await startThere('N0XYZ', 'away', ['--interface', 'spare'])
  const near = await startThere('K7RA', 'near', ['--interface', 'cable'], 8081)
  const [heard, ...others] = await until('the server on the cable to be listed', async () => listed(server, 1))
  assert.deepEqual([heard.callsign, heard.endpoint, others.length], ['K7RA', `http://${addressThere}:8081`, 0])
  const found = await until('both to be found at their machine', () => {
    const services = avahi.browse('_hamradio._tcp').filter(({ txt }) => txt.callsign !== 'W1AW')
    return services.length === 2 && services
  })
  const places = Object.fromEntries(found.map(({ txt, address }) => [txt.callsign, address]))
  assert.deepEqual(places, { N0XYZ: '10.78.0.1', K7RA: addressThere })
  // One on both is found on each by its address there.
  const both = await startThere('K5JB', 'both', [], 8082)
  const [listedBoth] = await until('the server on both to be listed', async () => (await listed(server, 2))?.filter(({ callsign }) => callsign === 'K5JB'))
  assert.equal(listedBoth.endpoint, `http://${addressThere}:8082`)
  await both.stop()
  await near.stop()
  await away.stop()
})

test('announcements that lie are not believed, and a flood of them hides nobody, known before or not', async () => {
  const other = await startThere('K1ABC', 'among-liars')
  const [honest] = await until('the honest server to be listed', async () => listed(server, 1))
  const program = join(import.meta.dirname, 'support/liar.mjs')
  const liar = spawn(...bound(...machines.there, process.execPath, program, addressThere), { stdio: ['pipe', 'pipe', 'inherit'] })
  opened.push({ stop: () => liar.kill() })
  await once(liar.stdout, 'data')
  const say = async (announcements) => {
    liar.stdin.write(`${JSON.stringify(announcements)}\n`)
    await once(liar.stdout, 'data')
  }
  const lie = (number, more = {}, txt = {}) => ({
    instance: `liar ${number}`,
    host: `liar-${number}.local`,
    address: `10.77.1.${number % 250}`,
    port: 8080,
    txt: { callsign: 'N0XYZ', fp: String(number).padStart(16, '0'), ...txt },
    ...more,
  })
  const unbelievable = [
    lie(1, { address: '203.0.113.9' }),
    lie(2, { address: '127.0.0.1' }),
    lie(3, { port: 0 }),
    lie(4, {}, { callsign: '<b>N0XYZ' }),
    lie(5, {}, { signalingEndpoint: 'http://evil.example/' }),
    lie(6, {}, { signalingProtocol: 'javascript' }),
    lie(7, {}, { capabilities: 'x'.repeat(99) }),
    // Ours.
    lie(8, {}, { callsign: 'W1AW', fp: fingerprint.slice(0, 16) }),
  ]
  await say(unbelievable)
  await say([lie(9)])
  const all = await until('one that could be true to be listed', async () => {
    const list = await everybody(server)
    return list.some(({ callsign }) => callsign === 'N0XYZ') && list
  })
  assert.deepEqual(all.map(({ callsign, endpoint, verified }) => [callsign, endpoint, verified]).sort(), [
    ['K1ABC', honest.endpoint, false],
    ['N0XYZ', 'http://10.77.1.9:8080', false],
  ])

  const flood = async (more) => {
    for (let first = 100; first < 400; first += 50) {
      await say(Array.from({ length: 50 }, (_, number) => lie(first + number, { address: `10.77.0.${(first + number) % 250 + 3}`, ...more })))
    }
  }
  await flood()
  const crowd = await until('the list to be full', async () => {
    const list = await everybody(server)
    return list.length === 64 && list
  })
  assert.ok(crowd.some(({ callsign, endpoint }) => callsign === 'K1ABC' && endpoint === honest.endpoint))
  // Those in the crowd are asked, and made-up ones answer nothing.
  const late = await startThere('K7RA', 'after-the-flood', [], 8081)
  const real = ['K1ABC', 'K7RA']
  await until('who came after the flood to be listed', async () => (await everybody(server)).some(({ callsign }) => callsign === 'K7RA'))
  await until('nobody to be listed but who is there', async () => {
    const list = await everybody(server)
    return list.every(({ callsign }) => real.includes(callsign)) && list.length === real.length
  })
  // Goodbyes in the names of all of them but the honest ones.
  await flood({ ttl: 0 })
  await say([lie(9, { ttl: 0 })])
  await until('the honest servers to be alone', async () => (await everybody(server)).every(({ callsign }) => real.includes(callsign)))
  await late.stop()
  liar.kill()
  await other.stop()
})

/** A claimed server at the other machine. */
async function startThere(callsign, name = callsign, flags = [], port = 8080) {
  const data = join(folder, name)
  const hidden = await startServer(data, 8099, { flags: ['--no-lan'] })
  const owner = await mkdtemp(join(folder, 'owner-'))
  await claim(hidden, await makeOperator(owner, callsign))
  await hidden.stop()
  const started = await startServer(data, port, { flags, enter: machines.there, host: addressThere })
  // Stopped at the latest with the test, also when it fails half way.
  opened.push(started)
  return started
}

/** The servers a server lists. */
async function everybody(by) {
  return (await (await fetch(`${by.local}/api/local-servers`)).json()).servers
}

/** The same, once they are that many. */
async function listed(by, count) {
  const servers = await everybody(by)
  return servers.length === count && servers
}

/** The services of a kind, once there are any. */
function found(kind) {
  return until(`${kind} to be found`, () => {
    const services = avahi.browse(kind)
    return services.length > 0 && services
  })
}

function resolved(name) {
  return until(`${name} to be resolved`, () => avahi.address(name))
}

/** What a server answers to whoever calls it by this name. */
function status(address, host) {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port: 8080, path: '/healthz', headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
  })
}
