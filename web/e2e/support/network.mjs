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

/** Another machine, without a network yet. */
async function machine() {
  // It holds the namespace until its input ends, and that ends with us.
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  const namespace = `/proc/${holder.pid}/ns/net`
  const enter = ['nsenter', `--net=${namespace}`]
  return {
    pid: String(holder.pid),
    namespace,
    /** Words before a command that make it run there. */
    enter,
    run: (...words) => execFileSync(enter[0], [...enter.slice(1), ...words]),
    close: () => holder.stdin.end(),
  }
}

/** Lays the cable. The machine there has a browser, started by `browser()`. */
export async function twoMachines(folder) {
  const other = await machine()
  const { namespace, run: there } = other

  ip('link', 'set', 'lo', 'up')
  ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', other.pid)
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
    there: other.enter,
    close: other.close,
  }
}

/**
 * A street with this machine at one house and a router at another, which hides the machine inside: that reaches the
 * street, and nothing in the street reaches it. These addresses are of no network that is guessed to be amateur radio.
 */
export async function hiddenMachine() {
  const router = await machine()
  const inside = await machine()
  const street = (host) => `172.20.77.${host}`
  ip('link', 'set', 'lo', 'up')
  ip('link', 'add', 'street', 'type', 'veth', 'peer', 'name', 'street', 'netns', router.pid)
  ip('address', 'add', `${street(1)}/24`, 'brd', '+', 'dev', 'street')
  ip('link', 'set', 'street', 'up')
  router.run('ip', 'link', 'set', 'lo', 'up')
  router.run('ip', 'address', 'add', `${street(254)}/24`, 'brd', '+', 'dev', 'street')
  router.run('ip', 'link', 'set', 'street', 'up')
  router.run('ip', 'link', 'add', 'home', 'type', 'veth', 'peer', 'name', 'home', 'netns', inside.pid)
  router.run('ip', 'address', 'add', '192.168.77.1/24', 'brd', '+', 'dev', 'home')
  router.run('ip', 'link', 'set', 'home', 'up')
  router.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
  router.run('iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'street', '-j', 'MASQUERADE')
  inside.run('ip', 'link', 'set', 'lo', 'up')
  inside.run('ip', 'address', 'add', '192.168.77.2/24', 'brd', '+', 'dev', 'home')
  inside.run('ip', 'link', 'set', 'home', 'up')
  inside.run('ip', 'route', 'add', 'default', 'via', '192.168.77.1')
  return {
    here: street(1),
    router: street(254),
    hidden: '192.168.77.2',
    /** Words before a command that make it run inside. */
    inside: inside.enter,
    /** The router comes back with another address in the street, as after a power cut: its mappings are gone. */
    restartRouter: () => {
      router.run('ip', 'address', 'del', `${street(254)}/24`, 'dev', 'street')
      router.run('ip', 'address', 'add', `${street(253)}/24`, 'brd', '+', 'dev', 'street')
    },
    close: () => {
      inside.close()
      router.close()
    },
  }
}
