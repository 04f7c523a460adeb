/**
 * A network of the tests' own, of two machines: *here*, where the test, the server and all that it
 * starts run, and *there*, across a cable.
 *
 * Importing this file starts the test again inside a fresh network namespace, as root or, where the
 * kernel lets ordinary users do that, as anybody. Nothing in it has a name that could collide, and
 * nothing has to be removed: a namespace ends with the last process in it.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { argv, env, execArgv, execPath, exit, getuid } from 'node:process'
import { installed, launch } from '../browser.mjs'

export const addressHere = '10.77.0.1'
export const addressThere = '10.77.0.2'

/** Starts a program that must not outlive the one that starts it, whatever ends that. */
export const bound = (...command) => ['setpriv', ['--pdeathsig', 'KILL', ...command]]

if (env.HAM_SERVER_TEST_NETWORK === undefined) {
  const asRoot = getuid() === 0 ? [] : ['--map-root-user']
  const [program, words] = bound('unshare', ...asRoot, '--net', execPath, ...execArgv, ...argv.slice(1))
  const inside = { ...env, HAM_SERVER_TEST_NETWORK: 'inside' }
  // The test runner reads what the test says on standard output, also from further inside.
  const { status, error } = spawnSync(program, words, { stdio: 'inherit', env: inside })
  if (error) throw error
  exit(status ?? 1)
}

const ip = (...words) => execFileSync('ip', words)

/** Lays the cable. The machine there has a browser, started by `browser()`. */
export async function twoMachines(folder) {
  // It holds the namespace until its input ends, and that ends with us.
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  const namespace = `/proc/${holder.pid}/ns/net`
  const there = (...words) => execFileSync('nsenter', [`--net=${namespace}`, ...words])

  ip('link', 'set', 'lo', 'up')
  ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', String(holder.pid))
  ip('address', 'add', `${addressHere}/24`, 'brd', '+', 'dev', 'cable')
  ip('link', 'set', 'cable', 'up')
  there('ip', 'link', 'set', 'lo', 'up')
  there('ip', 'address', 'add', `${addressThere}/24`, 'brd', '+', 'dev', 'cable')
  there('ip', 'link', 'set', 'cable', 'up')
  // Without a default route Chromium looks for no ways to connect at all.
  ip('route', 'add', 'default', 'via', addressThere)
  there('ip', 'route', 'add', 'default', 'via', addressHere)

  const wrapper = join(folder, 'chromium-there')
  await writeFile(wrapper, `#!/bin/sh\nexec nsenter --net=${namespace} ${installed} "$@"\n`)
  await chmod(wrapper, 0o755)
  return {
    browserHere: (options) => launch(undefined, options),
    browserThere: (options) => launch(wrapper, options),
    /** Words before a command that make it run there. */
    there: ['nsenter', `--net=${namespace}`],
    close: () => holder.stdin.end(),
  }
}
