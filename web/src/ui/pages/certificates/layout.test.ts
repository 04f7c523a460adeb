import { describe, expect, it } from 'vitest'
import type { CertificateSummary } from '../../../model-certificates'
import { BOX, draw } from './layout'

const people = (...names: string[]) => names.map((fingerprint) => ({ fingerprint }) as CertificateSummary)
const words = (...pairs: string[]) => pairs.map((pair) => ({ from: pair[0] ?? '', to: pair[1] ?? '', method: null }))
const rows = (drawing: ReturnType<typeof draw>) => Object.fromEntries(drawing.boxes.map(({ fingerprint, y }) => [fingerprint, Math.round(y / (BOX.height + 48))]))

describe('the drawing of who vouches for whom', () => {
  it('puts whoever vouches above whom they vouch for', () => {
    expect(rows(draw({ people: people('c', 'b', 'a'), words: words('ab', 'bc', 'ac') }))).toEqual({ a: 0, b: 1, c: 2 })
  })

  it('lets no two boxes touch, and holds them all', () => {
    const drawing = draw({ people: people('a', 'b', 'c', 'd', 'e'), words: words('ab', 'ac', 'ad') })
    for (const one of drawing.boxes) {
      expect(one.x).toBeGreaterThanOrEqual(0)
      expect(one.x + BOX.width).toBeLessThanOrEqual(drawing.width)
      expect(one.y + BOX.height).toBeLessThanOrEqual(drawing.height)
      for (const other of drawing.boxes) {
        if (one !== other) expect(Math.abs(one.x - other.x) >= BOX.width || Math.abs(one.y - other.y) >= BOX.height).toBe(true)
      }
    }
  })

  it('draws circles and ends', () => {
    const drawing = draw({ people: people('a', 'b'), words: words('ab', 'ba', 'aa', 'ax') })
    expect(drawing.boxes).toHaveLength(2)
    expect(drawing.lines.map(({ from, to }) => from + to)).toEqual(['ab', 'ba'])
  })

  it('draws one alone', () => {
    expect(draw({ people: people('a'), words: [] }).boxes).toHaveLength(1)
  })
})
