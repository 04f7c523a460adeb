/**
 * Avahi, as the judge of our mDNS: the daemon and its tools at another machine, with a `/run` of their
 * own, so that they meet no other daemon of the same computer. All of it ends with the process here.
 */
import { execFileSync, spawn } from 'node:child_process'
import { bound } from './network.mjs'
import { until } from './wait.mjs'

const setUp = `
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
chown avahi:avahi /run/avahi-daemon
dbus-daemon --system --nofork --nopidfile &
while ! test -S /run/dbus/system_bus_socket; do read -t 0.05 -r _ <> <(:) || :; done
exec avahi-daemon --no-drop-root --no-rlimits --no-chroot
`

/** Starts the daemon at a machine, and waits until it answers. */
export async function startAvahi(machines) {
  const alone = ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', setUp]
  const process = spawn(...bound(...machines.there, ...alone), { stdio: ['ignore', 'ignore', 'pipe'] })
  const said = []
  process.stderr.on('data', (part) => said.push(part))
  const inside = [...machines.there, 'nsenter', `--mount=/proc/${process.pid}/ns/mnt`]
  const ask = (...words) => {
    const [program, ...rest] = [...inside, ...words]
    return execFileSync(program, rest, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] })
  }
  await until('avahi to answer', () => {
    if (process.exitCode !== null) throw new Error(`avahi ended: ${Buffer.concat(said)}`)
    return ask('avahi-browse', '--all', '--terminate', '--parsable') || true
  })
  return {
    /** The services of a kind that are there now. */
    browse: (kind) => services(ask('avahi-browse', '--resolve', '--parsable', '--terminate', kind)),
    /** The IPv4 address of a name. */
    address: (name) => ask('avahi-resolve', '-4', '--name', name).trim().split(/\s+/)[1],
    stop: () => process.kill('SIGKILL'),
  }
}

/** Reads avahi-browse's lines: each once, however many interfaces and addresses it was found by. */
function services(text) {
  const found = new Map()
  for (const line of text.split('\n').filter((line) => line.startsWith('='))) {
    const [, , family, instance, kind, , host, address, port, ...txt] = line.split(';')
    if (family !== 'IPv4') continue
    const pairs = [...txt.join(';').matchAll(/"([^="]+)=([^"]*)"/g)].map(([, key, value]) => [key, value])
    const name = instance.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number(code)))
    found.set(name, { name, kind, host, address, port: Number(port), txt: Object.fromEntries(pairs) })
  }
  return [...found.values()]
}
