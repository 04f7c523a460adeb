import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseCertificate } from './certificate'
import { type Evidence, judgeAll, type Verdict } from './verdict'

interface World extends Omit<Evidence, 'certificates'> {
  readonly name: string
  /** By the names of the certificates. */
  readonly verdicts: Readonly<Record<string, Verdict>>
}

const vectors = JSON.parse(readFileSync(new URL('../../../../docs/protocol/vectors/trust.json', import.meta.url), 'utf8')) as {
  readonly certificates: Readonly<Record<string, string>>
  readonly worlds: readonly World[]
}

describe('the verdicts are those of the shared vectors, in any order', () => {
  it.each(vectors.worlds)('$name', async ({ name: _, verdicts, ...world }) => {
    const held = await Promise.all(
      Object.keys(verdicts).map(async (name) => {
        const certificate = await parseCertificate(vectors.certificates[name] ?? '')
        if (!certificate) throw new Error(`${name} cannot be read`)
        return { name, certificate }
      }),
    )
    for (const order of [held, [...held].reverse()]) {
      const found = await judgeAll({ certificates: order.map(({ certificate }) => certificate), ...world })
      expect(Object.fromEntries(held.map(({ name, certificate }) => [name, found.of(certificate.fingerprint)]))).toEqual(verdicts)
    }
  })
})
