import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { type Bytes, sha256Hex } from '../bytes'
import { writeEnd } from '../call/messages'
import { channelPair, Network } from '../testing'
import { Receiver } from './receiver'
import { type OutChannel, Sender } from './sender'
import { MemorySink, type Sink, tooLarge } from './sink'
import { Speed, secondsLeft } from './speed'
import { CHUNK, WINDOW } from './window'

/** A disk that stores only when the test says so. */
class SlowDisk implements Sink {
  readonly inMemory = false
  readonly waiting: (() => void)[] = []
  stored = 0
  aborted = false

  write(bytes: Bytes): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        this.stored += bytes.length
        resolve()
      })
    })
  }

  async finish(): Promise<null> {
    return null
  }

  async abort(): Promise<void> {
    this.aborted = true
  }
}

function transfer(content: Uint8Array<ArrayBuffer>, sink: Sink, maxMessage = 256 * 1024) {
  const network = new Network()
  const [out, into] = channelPair(network)
  const sender = new Sender(new Blob([content]), out as unknown as OutChannel, maxMessage)
  const confirmed: number[] = []
  const receiver = new Receiver(
    content.length,
    sink,
    (received) => {
      confirmed.push(received)
      network.later(() => sender.confirm(received))
    },
    () => undefined,
  )
  into.onmessage = ({ data }) => receiver.take(data)
  return { network, out, into, sender, receiver, confirmed }
}

const bytes = (length: number) => new Uint8Array(randomBytes(length))
const sha = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

describe('a file on its way', () => {
  it('arrives byte for byte, in messages that fit', async () => {
    const content = bytes(2_500_001)
    const { network, out, sender, receiver } = transfer(content, new MemorySink('text/plain'), 16_000)
    let largest = 0
    out.tamper = (data) => {
      if (typeof data !== 'string') largest = Math.max(largest, data.byteLength)
      return data
    }
    const sent = sender.run()
    await network.settle()
    const received = await receiver.done
    expect(received.sha256).toBe(sha(content))
    expect(await sent).toBe(received.sha256)
    expect(Buffer.from((await received.blob?.arrayBuffer()) ?? new ArrayBuffer(0)).equals(content)).toBe(true)
    expect(largest).toBe(16_000)
  })

  it('waits for the channel: its buffer stays small', async () => {
    const { network, out, sender, receiver } = transfer(bytes(6_000_000), new MemorySink(''))
    void sender.run()
    await network.settle()
    await receiver.done
    expect(out.mostBuffered).toBeLessThanOrEqual(1024 * 1024 + CHUNK)
    expect(out.mostBuffered).toBeGreaterThan(512 * 1024)
  })

  it('waits for a slow disk: no more than the window is on the way', async () => {
    const disk = new SlowDisk()
    const content = bytes(WINDOW + 4_000_000)
    const { network, sender, receiver, confirmed } = transfer(content, disk)
    void sender.run()
    let arrived = 0
    const take = receiver.take.bind(receiver)
    receiver.take = (data) => {
      if (data instanceof ArrayBuffer) arrived += data.byteLength
      take(data)
    }
    await network.settle()
    expect(arrived).toBeGreaterThan(WINDOW - CHUNK)
    expect(arrived).toBeLessThanOrEqual(WINDOW + CHUNK)
    while (disk.stored < content.length) {
      disk.waiting.shift()?.()
      await network.settle(() => disk.waiting.length > 0)
    }
    await network.settle()
    expect((await receiver.done).sha256).toBe(sha(content))
    expect(confirmed.at(-1)).toBe(content.length)
  })

  it('stops with a sentence when the channel is lost', async () => {
    const { network, into, sender, confirmed } = transfer(bytes(6_000_000), new MemorySink(''))
    const sent = sender.run()
    sent.catch(() => undefined)
    await network.settle(() => confirmed.length > 0)
    into.close()
    await network.settle()
    await expect(sent).rejects.toThrow('lost in the middle of the file')
  })

  it('stops when the file can no longer be read', async () => {
    const network = new Network()
    const [out] = channelPair(network)
    const gone = { size: 5, slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadableError')) }) }
    const sender = new Sender(gone as unknown as Blob, out as unknown as OutChannel, CHUNK)
    await expect(sender.run()).rejects.toThrow('changed or moved')
  })

  it('does not believe confirmations of what was never sent', () => {
    const { sender } = transfer(bytes(10), new MemorySink(''))
    expect(sender.confirm(11)).toBe(false)
  })
})

describe('a receiver', () => {
  function receive(size: number, sink: Sink = new MemorySink('')) {
    const receiver = new Receiver(size, sink, () => undefined, () => undefined)
    receiver.done.catch(() => undefined)
    return receiver
  }
  const chunk = (length: number) => new ArrayBuffer(length)

  it('never takes more than was announced', async () => {
    const sink = new MemorySink('')
    const write = vi.spyOn(sink, 'write')
    const receiver = receive(10, sink)
    receiver.take(chunk(8))
    receiver.take(chunk(8))
    await expect(receiver.done).rejects.toThrow('More arrived than was announced')
    expect(write.mock.calls.reduce((sum, [data]) => sum + data.length, 0)).toBeLessThanOrEqual(8)
  })

  it.each([
    ['an empty message', [chunk(0)], 'More arrived'],
    ['an end too early', [chunk(4), writeEnd('0'.repeat(64))], 'ended before it was complete'],
    ['another hash', [chunk(10), writeEnd('0'.repeat(64))], 'fingerprint does not match'],
    ['an end without a hash', [chunk(10), '{"type":"end"}'], 'ended before it was complete'],
    ['something else', [chunk(10), 'hello'], 'ended before it was complete'],
  ])('throws the file away after %s', async (_what, messages, sentence) => {
    const disk = new SlowDisk()
    const receiver = receive(10, disk)
    for (const message of messages) receiver.take(message)
    await expect(receiver.done).rejects.toThrow(sentence)
    for (const store of disk.waiting) store()
    await vi.waitFor(() => expect(disk.aborted).toBe(true))
  })

  it('stops a sender that ignores the window', async () => {
    const receiver = receive(100_000_000, new SlowDisk())
    for (let i = 0; i <= (2 * WINDOW) / CHUNK; i++) receiver.take(chunk(CHUNK))
    await expect(receiver.done).rejects.toThrow('faster than this device can store')
  })

  it('says that the disk is full', async () => {
    const full: Sink = { inMemory: false, write: () => Promise.reject(new Error('quota')), finish: async () => null, abort: async () => undefined }
    const receiver = receive(10, full)
    receiver.take(chunk(10))
    await expect(receiver.done).rejects.toThrow('disk may be full')
  })

  it('takes nothing after it was stopped', async () => {
    const sink = new MemorySink('')
    const receiver = receive(4, sink)
    receiver.take(chunk(4))
    receiver.take(writeEnd(sha256Hex(new Uint8Array(4))))
    await receiver.done
    receiver.take(chunk(4))
    expect((await sink.finish()).size).toBe(4)
  })
})

describe('figures', () => {
  it('the speed is that of the last seconds', () => {
    const speed = new Speed()
    speed.note(0, 0)
    expect(speed.note(1_000_000, 1_000)).toBe(1_000_000)
    for (let second = 2; second <= 10; second++) speed.note(1_000_000 + (second - 1) * 100, second * 1_000)
    expect(speed.note(1_001_000, 11_000)).toBeCloseTo(100, 0)
    expect(secondsLeft(1_000, 100)).toBe(10)
    expect(secondsLeft(1_000, 0)).toBeNull()
  })

  it('what is too large depends on what is held already', () => {
    expect(tooLarge(100, 0, 100)).toBeNull()
    expect(tooLarge(101_000_000, 0, 100_000_000)).toContain('at most 100 MB')
    expect(tooLarge(60_000_000, 50_000_000, 100_000_000)).toContain('room for 50 MB')
  })

  it('what could run as a page of this origin is kept as plain bytes', async () => {
    expect((await new MemorySink('text/html').finish()).type).toBe('application/octet-stream')
    expect((await new MemorySink('image/svg+xml').finish()).type).toBe('application/octet-stream')
    expect((await new MemorySink('image/png').finish()).type).toBe('image/png')
  })
})

