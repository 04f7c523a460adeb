import { describe, expect, it } from 'vitest'
import { type Control, MAX_TEXT_BYTES, readControl, readEnd, writeEnd } from './messages'

const sha256 = 'a'.repeat(64)
const good: Control[] = [
  { type: 'call-confirm', offer: sha256, answer: sha256, signature: 'x' },
  { type: 'call-confirm', offer: sha256, answer: sha256, signature: null },
  { type: 'hello', version: 1 },
  { type: 'text', id: 'a1', text: 'CQ' },
  { type: 'received', id: 'a1' },
  { type: 'file-offer', id: 'f_1', name: 'map.pdf', size: 0, mediaType: 'application/pdf' },
  { type: 'file-accept', id: 'f' },
  { type: 'file-stop', id: 'f', why: 'cancelled' },
  { type: 'file-progress', id: 'f', received: 3 },
  { type: 'file-result', id: 'f', sha256 },
  { type: 'moved', session: '00000000000000ff' },
  { type: 'bye' },
]

describe('control messages', () => {
  it.each(good)('$type is read as it was written, unknown members aside', (message) => {
    expect(readControl(JSON.stringify({ ...message, later: [1] }))).toEqual(message)
  })

  it.each([
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['an unknown type', '{"type":"voice"}'],
    ['a type of every object', '{"type":"constructor"}'],
    ['bytes', new ArrayBuffer(8)],
    ['a long id', JSON.stringify({ type: 'received', id: 'x'.repeat(65) })],
    ['an id with markup', '{"type":"received","id":"<b>"}'],
    ['a text that is no text', '{"type":"text","id":"a","text":7}'],
    ['a negative size', '{"type":"file-offer","id":"f","name":"n","size":-1,"mediaType":""}'],
    ['a size beyond counting', '{"type":"file-offer","id":"f","name":"n","size":1e300,"mediaType":""}'],
    ['half a byte', '{"type":"file-progress","id":"f","received":0.5}'],
    ['a reason of its own', '{"type":"file-stop","id":"f","why":"because"}'],
    ['a confirmation of nothing', '{"type":"call-confirm"}'],
    ['a confirmation that says no hash', JSON.stringify({ type: 'call-confirm', offer: sha256, answer: 'abc', signature: 'x' })],
    ['a short hash', '{"type":"file-result","id":"f","sha256":"abc"}'],
    ['a media type with markup', '{"type":"file-offer","id":"f","name":"n","size":1,"mediaType":"text/html;<x>"}'],
    ['a frame over any bound', JSON.stringify({ type: 'bye', x: 'y'.repeat(200_000) })],
  ])('%s is not a message', (_what, data) => {
    expect(readControl(data)).toBeNull()
  })

  it('a text has at most 16 KiB, counted in bytes', () => {
    const text = (length: number) => JSON.stringify({ type: 'text', id: 'a', text: 'é'.repeat(length) })
    expect(readControl(text(MAX_TEXT_BYTES / 2))).not.toBeNull()
    expect(readControl(text(MAX_TEXT_BYTES / 2 + 1))).toBeNull()
  })

  it.each([
    ['../../etc/passwd', '.._.._etc_passwd'],
    ['C:\\boot.ini', 'C__boot.ini'],
    ['gpj\u202Eexe.scr', 'gpjexe.scr'],
    ['a\nb', 'ab'],
    ['\u0000', 'file'],
  ])('the name %j is shown as %j', (name, shown) => {
    const offer = readControl(JSON.stringify({ type: 'file-offer', id: 'f', name, size: 1, mediaType: '' }))
    expect(offer).toMatchObject({ name: shown })
  })

  it('the end of a file names its hash', () => {
    expect(readEnd(writeEnd(sha256))).toBe(sha256)
    expect(readEnd('{"type":"end"}')).toBeNull()
  })
})
