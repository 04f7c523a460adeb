/**
 * Avahi, as the judge of our mDNS: the daemon and its tools at another machine, with a `/run` of their
 * own, so that they meet no other daemon of the same computer. Names are looked up as every program of that
 * machine would, by the C library (`getent hosts`) with nss-mdns. All of it ends with the process here.
 */
import { execFileSync, spawn } from 'node:child_process'
import { bound } from './network.mjs'
import { until } from './wait.mjs'

/**
 * The machine's own settings are left as they are: ours lie over them, in this mount namespace only. Before nss-mdns
 * asks Avahi it asks the name server about `local`, and waits long for one that is not there; on loopback nobody
 * listens, and that is known at once. Where `resolv.conf` is a link into the /run that we hide, it is made there.
 */
const setUp = `
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
lay() {
  local file=$(readlink -m "$1")
  mkdir -p "$(dirname "$file")"
  test -e "$file" || : > "$file"
  echo "$2" > "/run/$(basename "$1")"
  mount --bind "/run/$(basename "$1")" "$file"
}
lay /etc/nsswitch.conf 'hosts: files mdns4_minimal [NOTFOUND=return] dns'
lay /etc/resolv.conf 'nameserver 127.0.0.1'
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
    /** The IPv4 address of a name, as any program of that machine finds it. */
    address: (name) => ask('getent', 'hosts', name).trim().split(/\s+/)[0],
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
