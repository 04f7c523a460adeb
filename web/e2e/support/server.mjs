/** A real server in a process of its own. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { env } from 'node:process'
import { bound } from './network.mjs'
import { until } from './wait.mjs'

export const binary = env.HAM_SERVER_BIN ?? join(import.meta.dirname, '../../../target/debug/ham-server')

/**
 * Starts a server and waits until it answers. The same folder again is the same server. It can be
 * given further flags, and run at another machine (`enter`, with its address as `host`).
 */
export async function startServer(folder, port = 8080, { flags = [], enter = [], host = 'localhost' } = {}) {
  const words = ['--port', String(port), '--data-dir', folder, '--log-format', 'json', ...flags]
  const process = spawn(...bound(...enter, binary, ...words), { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const stream of [process.stdout, process.stderr]) stream.on('data', (part) => said.push(part))
  const ended = once(process, 'exit')

  const local = `http://${host}:${port}`
  await until('the server to answer', async () => {
    if (process.exitCode !== null) return 'it ended'
    return (await fetch(`${local}/healthz`)).ok
  })
  assert.equal(process.exitCode, null, `the server ended: ${Buffer.concat(said)}`)
  return {
    local,
    port,
    stop: async (signal = 'SIGTERM') => {
      process.kill(signal)
      await ended
    },
  }
}

/** What the QR code holds that this server serves, read as a phone's camera app would. */
export async function joiningUrl(server, folder) {
  const answer = await fetch(`${server.local}/api/qr.png`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'image/png')
  const image = join(await mkdtemp(join(folder, 'qr-')), 'qr.png')
  await writeFile(image, Buffer.from(await answer.arrayBuffer()))
  return execFileSync('zbarimg', ['--nodbus', '--quiet', '--raw', image], { encoding: 'utf8' }).trim()
}

/**
 * Counts the bytes that pass through a server's TCP port, from the kernel's own counters of each
 * connection. A connection that ends keeps what was last seen of it.
 */
export class Traffic {
  #connections = new Map()
  #port
  #before

  constructor(server) {
    this.#port = server.port
    this.#look()
    assert.ok(this.#connections.size > 0, 'nobody is connected to the server, so nothing can be counted')
    this.#before = this.#sum()
  }

  /** Bytes in both directions since the beginning. */
  get bytes() {
    this.#look()
    return this.#sum() - this.#before
  }

  #look() {
    const words = ['--tcp', '--info', '--numeric', '--oneline', '--no-header', 'sport', '=', `:${this.#port}`]
    for (const line of execFileSync('ss', words, { encoding: 'utf8' }).trim().split('\n')) {
      const [, , , local, remote] = line.split(/\s+/)
      const counted = [...line.matchAll(/\bbytes_(?:sent|received):(\d+)/g)]
      const bytes = counted.reduce((sum, [, number]) => sum + Number(number), 0)
      if (remote) this.#connections.set(`${local} ${remote}`, bytes)
    }
  }

  #sum() {
    return [...this.#connections.values()].reduce((sum, bytes) => sum + bytes, 0)
  }
}

/** Bytes that came through the cable to here and went from here, since it was laid. */
export function cableBytes() {
  const [link] = JSON.parse(execFileSync('ip', ['-json', '-statistics', 'link', 'show', 'cable'], { encoding: 'utf8' }))
  return link.stats64.rx.bytes + link.stats64.tx.bytes
}
