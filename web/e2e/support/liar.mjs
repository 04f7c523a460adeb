/**
 * Announces whatever it is told by multicast DNS (RFC 6762), true or not. A program of its own, since it runs at another
 * machine: `node liar.mjs ADDRESS`, with a JSON array of announcements a line on its input.
 */
import { createSocket } from 'node:dgram'
import { argv, stdin } from 'node:process'
import { createInterface } from 'node:readline'

const [, , from] = argv
const socket = createSocket({ type: 'udp4', reuseAddr: true })

socket.bind(5353, () => {
  socket.setMulticastInterface(from)
  console.log('ready')
})
for await (const line of createInterface({ input: stdin })) {
  for (const announcement of JSON.parse(line)) socket.send(packet(announcement), 5353, '224.0.0.251')
  // Printed once all of it was handed to the network.
  socket.send(Buffer.alloc(0), 9, from, () => console.log('said'))
}

/** PTR, SRV, TXT and A of one service. */
function packet({ instance, host, address, port, txt, ttl = 120 }) {
  const kind = '_hamradio._tcp.local'
  const texts = Object.entries(txt).map(([key, value]) => Buffer.from(`${key}=${value}`))
  const records = [
    record(name(kind), 12, 1, ttl, name(kind, instance)),
    record(name(kind, instance), 33, 0x8001, ttl, Buffer.concat([number(0), number(0), number(port), name(host)])),
    record(name(kind, instance), 16, 0x8001, ttl, Buffer.concat(texts.flatMap((text) => [Buffer.from([text.length]), text]))),
    record(name(host), 1, 0x8001, ttl, Buffer.from(address.split('.').map(Number))),
  ]
  // An answer (RFC 6762, 18) without questions.
  return Buffer.concat([number(0), number(0x8400), number(0), number(records.length), number(0), number(0), ...records])
}

function record(owner, type, cls, ttl, data) {
  return Buffer.concat([owner, number(type), number(cls), number(0), number(ttl), number(data.length), data])
}

function name(domain, instance) {
  const labels = [...(instance === undefined ? [] : [instance]), ...domain.split('.')]
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]), Buffer.alloc(1)])
}

function number(value) {
  return Buffer.from([value >> 8, value & 0xff])
}
