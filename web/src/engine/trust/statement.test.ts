import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { codeProof, type Fields, type Login, statement } from './statement'

interface Vector {
  context: keyof Fields
  fields: never
  statement: string
  code?: string
  hmac?: string
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../docs/protocol/vectors/statements.json', import.meta.url), 'utf8'),
) as { cases: Vector[] }

describe('statements', () => {
  it.each(vectors.cases)('$context has the bytes of the shared vectors', (vector) => {
    const text = statement(vector.context, vector.fields)
    expect(text).toBe(vector.statement)
    if (vector.code !== undefined) expect(codeProof(vector.code, text)).toBe(vector.hmac)
  })

  it('reads a code as people write it', () => {
    expect(codeProof('mzxw-6ytb oi7a-2k4q', 'x')).toBe(codeProof('MZXW6YTBOI7A2K4Q', 'x'))
  })

  const login: Login = { clientNonce: 'a', serverNonce: 'b', server: 'c', client: null, url: 'ws://h/signal' }
  it.each([
    ['a line feed', { url: 'ws://h/signal\nforged' }],
    ['an empty field', { serverNonce: '' }],
    ['a field over 512 bytes', { url: `ws://${'é'.repeat(260)}` }],
    ['a control character', { url: 'ws://h\u0085' }],
  ])('never signs %s', (_what, change) => {
    expect(() => statement('client-proof', { ...login, ...change })).toThrow()
  })
})
