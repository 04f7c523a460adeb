/**
 * Links through what stands between servers: a router that hides one of them, and a reverse proxy in front of another.
 * Whoever can dial does; people at both ends meet and call each other; and the link comes back after the router or the
 * proxy was gone.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { bound, hiddenMachine } from './support/network.mjs'
import { Client, claim, makeOperator } from './support/foreign.mjs'
import { binary, startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

let folder
let net
/** W1AW's server in the street, K1ABC's behind the router, N0XYZ's behind the proxy. */
let open
let hidden
let proxied
let nginx
const started = []
/** The people at them. */
let w1aw
let k1abc
let n0xyz
const operators = {}

const port = { open: 8082, hidden: 8081, proxied: 8083, proxy: 8090 }

function command(name, words, enter = []) {
  const [program, ...rest] = [...enter, binary, '--data-dir', join(folder, name), ...words]
  return execFileSync(program, rest, { encoding: 'utf8' })
}

const peers = (name, enter) => JSON.parse(command(name, ['peers', 'list', '--json'], enter))

const isLinked = (name, callsign) => peers(name).some((peer) => peer.callsign === callsign && peer.state === 'linked')

async function linked(name, callsign, enter) {
  return until(`${name} to be linked with ${callsign}`, () => peers(name, enter).find((peer) => peer.callsign === callsign && peer.state === 'linked'))
}

/** An operator logged in at a server, by a URL that the server knows and perhaps another way there. */
async function person(operator, url, way = url) {
  const client = await Client.open(way)
  const registered = await client.authenticate(operator, await client.challenge(operator, url), url)
  assert.equal(registered.type, 'REGISTERED', JSON.stringify(registered))
  started.push(client)
  return client
}

/** The entry of somebody in somebody's list, once they are in it and verified. */
async function finds(client, callsign) {
  return until(`${callsign} in the list`, async () => {
    client.send({ type: 'LIST_PEERS' })
    const { peers: list } = await client.receive('PEER_LIST')
    return list.find((one) => one.callsign === callsign && one.verified)
  })
}

/** One calls the other, and everything that a call needs gets across, both ways. */
async function call(caller, callee, from, to) {
  const target = await finds(caller, to)
  const offer = { type: 'offer', sdp: `v=0\r\ns=${from} to ${to} ${Date.now()}\r\n` }
  caller.send({ type: 'OFFER', target: target.id, offer })
  const offered = await callee.receive('OFFER_RECEIVED')
  assert.deepEqual([offered.offer, offered.fromCallsign, offered.verified], [offer, from, true])
  const answer = { type: 'answer', sdp: `v=0\r\ns=${to} to ${from}\r\n` }
  callee.send({ type: 'ANSWER', target: offered.from, answer })
  assert.deepEqual((await caller.receive('ANSWER_RECEIVED')).answer, answer)
  const candidate = { candidate: 'candidate:1 1 udp 1 192.168.1.7 9 typ host', sdpMid: '0' }
  caller.send({ type: 'ICE_CANDIDATE', target: target.id, candidate })
  assert.deepEqual((await callee.receive('ICE_CANDIDATE_RECEIVED')).candidate, candidate)
}

/** A way for this test into the machine inside: a socket in a folder, at the other end of which is the server's port. */
async function wayInside() {
  const path = join(folder, 'inside.sock')
  const pipe = `const net = require('net'); net.createServer((here) => { const there = net.connect(${port.hidden}, '127.0.0.1'); here.pipe(there).pipe(here);
    here.on('error', () => there.destroy()); there.on('error', () => here.destroy()) }).listen(${JSON.stringify(path)}, () => console.log('ready'))`
  const process = spawn(...bound(...net.inside, 'node', '-e', pipe), { stdio: ['ignore', 'pipe', 'inherit'] })
  started.push({ close: () => process.kill() })
  await once(process.stdout, 'data')
  return `ws+unix:${path}:/signal`
}

async function startProxy() {
  const at = (name) => join(folder, name)
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at(`nginx-${name}`)};`)
  await writeFile(
    at('nginx.conf'),
    `daemon off; master_process off; pid ${at('nginx.pid')}; error_log ${at('nginx.log')};
events {}
http { access_log off; ${places.join(' ')}
  server { listen ${net.here}:${port.proxy};
    location / {
      proxy_pass http://127.0.0.1:${port.proxied};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    } } }`,
  )
  nginx = spawn(...bound('nginx', '-e', at('nginx.log'), '-c', at('nginx.conf')), { stdio: 'inherit' })
  await until('the proxy to answer', async () => (await fetch(`http://${net.here}:${port.proxy}/healthz`)).ok)
}

async function stopProxy() {
  const ended = once(nginx, 'exit')
  nginx.kill('SIGKILL')
  await ended
}

const behindProxy = (more = []) => startServer(join(folder, 'proxied'), port.proxied, { flags: ['--no-lan', '--no-mdns', '--trusted-proxy', '127.0.0.1', '--host-name', net.here, ...more] })

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-nat-'))
  net = await hiddenMachine()
  operators.w1aw = await makeOperator(folder, 'W1AW')
  operators.k1abc = await makeOperator(folder, 'K1ABC', operators.w1aw)
  operators.n0xyz = await makeOperator(folder, 'N0XYZ', operators.w1aw)
  open = await startServer(join(folder, 'open'), port.open, { flags: ['--no-mdns'] })
  await claim(open, operators.w1aw)
  // Claimed here, by a person at its machine, and then carried inside.
  const carried = await startServer(join(folder, 'hidden'), 8099, { flags: ['--no-mdns', '--no-lan'] })
  await claim(carried, operators.k1abc)
  await carried.stop()
  hidden = spawn(...bound(...net.inside, binary, '--port', String(port.hidden), '--data-dir', join(folder, 'hidden'), '--no-mdns'), { stdio: 'ignore' })
  await until('the server inside', () => command('hidden', ['status'], net.inside))
})

after(async () => {
  for (const thing of started) thing.close()
  nginx?.kill('SIGKILL')
  await open?.stop()
  await proxied?.stop()
  hidden?.kill()
  net?.close()
  await rm(folder, { recursive: true, force: true })
})

step('nobody in the street reaches the server behind the router', async () => {
  for (const address of [net.hidden, net.router]) {
    await assert.rejects(fetch(`http://${address}:${port.hidden}/healthz`, { signal: AbortSignal.timeout(3_000) }), address)
  }
})

step('it dials, and both are linked', async () => {
  command('hidden', ['peers', 'add', `https://${net.here}:${port.open}`], net.inside)
  await until('W1AW’s server to be there', () => command('hidden', ['peers', 'list'], net.inside).includes('W1AW'))
  command('hidden', ['peers', 'accept', 'W1AW', '--fingerprint', operators.w1aw.fingerprint], net.inside)
  const there = await linked('open', 'K1ABC')
  assert.equal(there.link, 'open')
  await linked('hidden', 'W1AW', net.inside)
})

step('people at both see each other, and calls get across both ways', async () => {
  w1aw = await person(operators.w1aw, `ws://localhost:${port.open}/signal`)
  k1abc = await person(operators.k1abc, `ws://localhost:${port.hidden}/signal`, await wayInside())
  await call(w1aw, k1abc, 'W1AW', 'K1ABC')
  await call(k1abc, w1aw, 'K1ABC', 'W1AW')
})

step('the router forgets everything and gets another address: the link comes back, and calls get across again', async () => {
  // In whole seconds: a link that has stood for a while is told from a new one.
  const before = await until('the link to have stood a while', async () => {
    const { since } = await linked('open', 'K1ABC')
    return since >= 3 && since
  })
  net.restartRouter()
  await until('another link', () => peers('open').some((peer) => peer.callsign === 'K1ABC' && peer.state === 'linked' && peer.since < before) || peers('open').every((peer) => peer.state !== 'linked'))
  await linked('open', 'K1ABC')
  await call(w1aw, k1abc, 'W1AW', 'K1ABC')
})

step('a server behind a reverse proxy is linked through it', async () => {
  // Behind a proxy nobody is known to be at the machine: it is claimed before.
  const bare = await startServer(join(folder, 'proxied'), port.proxied, { flags: ['--no-lan', '--no-mdns'] })
  await claim(bare, operators.n0xyz)
  await bare.stop()
  proxied = await behindProxy()
  await startProxy()
  command('hidden', ['peers', 'add', `http://${net.here}:${port.proxy}`], net.inside)
  await until('K1ABC’s server to be there', () => command('proxied', ['peers', 'list']).includes('K1ABC'))
  command('proxied', ['peers', 'accept', 'K1ABC', '--fingerprint', operators.w1aw.fingerprint])
  await linked('proxied', 'K1ABC')
  await linked('hidden', 'N0XYZ', net.inside)
})

step('people behind the proxy and behind the router call each other, and through both whoever is in the street', async () => {
  n0xyz = await person(operators.n0xyz, `ws://localhost:${port.proxied}/signal`)
  await call(n0xyz, k1abc, 'N0XYZ', 'K1ABC')
  await call(w1aw, n0xyz, 'W1AW', 'N0XYZ')
})

step('the proxy dies and comes back: so does the link', async () => {
  await stopProxy()
  await until('the link to be gone', () => !isLinked('proxied', 'K1ABC'))
  await startProxy()
  await linked('proxied', 'K1ABC')
  await call(k1abc, n0xyz, 'K1ABC', 'N0XYZ')
})

step('behind a trusted proxy a link counts as what its other end is, not as what the proxy is', async () => {
  n0xyz.close()
  await proxied.stop()
  proxied = await behindProxy(['--zone', '172.20.77.0/24=part97'])
  await until('the two to disagree about the way', () => peers('hidden', net.inside).some((peer) => /amateur/.test(peer.reason ?? '')))
  assert.ok(!isLinked('proxied', 'K1ABC'))
})
