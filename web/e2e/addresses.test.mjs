/**
 * Which address people are told: the one that works on their network. The server's machine is on two networks and has
 * an interface of containers.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, addressThere, twoMachines } from './support/network.mjs'
import { claim, makeOperator } from './support/foreign.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

const wifi = '192.168.7.1'
const wifi6 = 'fd77::1'
const onCable = `http://${addressHere}:8080`
const onWifi = `http://${wifi}:8080`
const onWifi6 = `http://[${wifi6}]:8080`

let folder
let machines
let server
let fingerprint

const ip = (...words) => execFileSync('ip', words, { encoding: 'utf8' })

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-addresses-'))
  machines = await twoMachines(folder)
  for (const [name, ...addresses] of [
    ['wifi', `${wifi}/24`, `${wifi6}/64`],
    ['docker0', '172.17.0.1/16'],
  ]) {
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-far`)
    for (const address of addresses) ip('address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []))
    for (const end of [name, `${name}-far`]) ip('link', 'set', end, 'up')
  }
  server = await startServer(join(folder, 'data'), 8080, { flags: ['--no-mdns'] })
  await claim(server, await makeOperator(folder, 'W1AW'))
  fingerprint = (await ask(addressHere, addressHere)).certFingerprint
})

after(async () => {
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('at the machine the network that leads out comes first, and containers’ never', async () => {
  assert.deepEqual((await ask('localhost', 'localhost')).addresses, [onCable, onWifi, onWifi6])
  ip('route', 'replace', 'default', 'via', '192.168.7.2')
  assert.deepEqual((await ask('localhost', 'localhost')).addresses, [onWifi, onWifi6, onCable])
  ip('route', 'del', 'default')
  assert.deepEqual((await ask('localhost', 'localhost')).addresses, [onCable, onWifi, onWifi6])
})

step('on each network its own address comes first, in the code too', async () => {
  for (const [address, url] of [
    [addressHere, onCable],
    [wifi, onWifi],
    [wifi6, onWifi6],
  ]) {
    const info = await ask(address, url.slice('http://'.length, -':8080'.length))
    assert.equal(info.addresses[0], url)
    assert.equal(info.signalingUrl, `${url.replace('http', 'ws')}/signal`)
    assert.equal(await code(address, url), `${url}/#join=1.${fingerprint}`)
  }
})

step('who came by a name is told the address: not every phone looks such names up', async () => {
  const info = await ask(wifi, 'w1aw.local')
  assert.deepEqual(info.addresses.slice(0, 2), [onWifi, 'http://w1aw.local:8080'])
  // For the caller the name works.
  assert.equal(info.signalingUrl, 'ws://w1aw.local:8080/signal')
})

step('an address that needs the name of an interface is nobody else’s: another of that network is told', async () => {
  const [, linkLocal] = /inet6 (fe80[^/]*)/.exec(
    await until('a link-local address', () => {
      const shown = ip('-6', 'address', 'show', 'dev', 'wifi', 'scope', 'link')
      return shown.includes('fe80') && !shown.includes('tentative') && shown
    }),
  )
  const info = await ask(`${linkLocal}%wifi`, `[${linkLocal}%25wifi]`)
  assert.equal(info.addresses[0], onWifi)
  assert.ok(info.addresses.every((url) => !url.includes('fe80')), info.addresses.join())
})

step('a name of an AREDN network is used as it is, on that network', async () => {
  const name = 'w1aw-ham-server.local.mesh'
  const info = await ask(addressHere, name)
  assert.equal(info.addresses[0], `http://${name}:8080`)
  assert.equal(info.signalingUrl, `ws://${name}:8080/signal`)
})

step('a network across amateur frequencies is told last to who is not on it', async () => {
  await server.stop()
  server = await startServer(join(folder, 'data'), 8080, { flags: ['--no-mdns', '--zone', 'cable=part97'] })
  ip('route', 'add', 'default', 'via', addressThere)
  const info = await ask('localhost', 'localhost')
  assert.deepEqual(info.addresses, [onWifi, onWifi6, onCable])
  assert.ok(info.secure.urls.every((url) => !url.includes(addressHere)), info.secure.urls.join())
  assert.equal((await ask(addressHere, addressHere)).addresses[0], onCable)
})

/** What the server says of itself to who connects to an address and calls it by a host. */
async function ask(address, host) {
  return JSON.parse(await fetched(address, host, '/api/info'))
}

/** What the code holds that is served to who asks at a URL. */
async function code(address, url) {
  const image = join(await mkdtemp(join(folder, 'qr-')), 'qr.png')
  await writeFile(image, await fetched(address, new URL(url).hostname, '/api/qr.png'))
  return execFileSync('zbarimg', ['--nodbus', '--quiet', '--raw', image], { encoding: 'utf8' }).trim()
}

function fetched(address, host, path) {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port: 8080, path, headers: { host: `${host}:8080` } }, async (response) => {
      const parts = await response.toArray()
      const body = Buffer.concat(parts)
      if (response.statusCode === 200) resolve(body)
      else reject(new Error(`${response.statusCode}: ${body}`))
    })
    request.on('error', reject)
  })
}
