/**
 * Where the boxes of the drawing stand: in layers, whoever vouches above whom they vouch for, the roots on top.
 * Pure. Circles are allowed in what is drawn; a word that leads upward is drawn upward.
 */
import type { Surroundings } from '../../../model-certificates'

export interface Box {
  readonly fingerprint: string
  readonly x: number
  readonly y: number
}

export interface Line {
  readonly from: string
  readonly to: string
  /** An SVG path. */
  readonly path: string
}

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly boxes: readonly Box[]
  readonly lines: readonly Line[]
}

export const BOX = { width: 126, height: 56 } as const
const GAP = { x: 12, y: 48 } as const
const MARGIN = 4

export function draw({ people, words }: Pick<Surroundings, 'people' | 'words'>): Drawing {
  const layers = layersOf(people.map(({ fingerprint }) => fingerprint), words)
  const widest = Math.max(...layers.map((layer) => layer.length), 1)
  const width = Math.max(widest, 2) * (BOX.width + GAP.x) - GAP.x + 2 * MARGIN
  const boxes = layers.flatMap((layer, row) => {
    const left = (width - layer.length * (BOX.width + GAP.x) + GAP.x) / 2
    return layer.map((fingerprint, column): Box => ({ fingerprint, x: left + column * (BOX.width + GAP.x), y: MARGIN + row * (BOX.height + GAP.y) }))
  })
  const places = new Map(boxes.map((box) => [box.fingerprint, box]))
  const lines = words.flatMap(({ from, to }): readonly Line[] => {
    const [above, below] = [places.get(from), places.get(to)]
    return above && below && from !== to ? [{ from, to, path: curve(above, below) }] : []
  })
  return { width, height: layers.length * (BOX.height + GAP.y) - GAP.y + 2 * MARGIN, boxes, lines }
}

/** Each stands one layer below the lowest of those who vouch for it, as far as no circle comes into the way. */
function layersOf(people: readonly string[], words: Surroundings['words']): readonly (readonly string[])[] {
  const depth = new Map(people.map((one) => [one, 0]))
  // As many rounds as there are people settle everything that is no circle.
  for (let round = 0; round < people.length; round++) {
    let moved = false
    for (const { from, to } of words) {
      const above = depth.get(from)
      const below = depth.get(to)
      if (above === undefined || below === undefined || from === to || below > above || above + 1 >= people.length) continue
      depth.set(to, above + 1)
      moved = true
    }
    if (!moved) break
  }
  const deepest = Math.max(...depth.values(), 0)
  const layers = Array.from({ length: deepest + 1 }, (_, level) => people.filter((one) => depth.get(one) === level))
  return layers.filter((layer) => layer.length > 0)
}

/** A line that passes a layer swings out to the side, lest it vanish behind the boxes there. */
const SWING = BOX.width / 2 + 24

function curve(from: Box, to: Box): string {
  const passes = Math.abs(to.y - from.y) > BOX.height + GAP.y && Math.abs(to.x - from.x) < BOX.width
  const swing = passes ? SWING : 0
  const x1 = from.x + BOX.width / 2
  const x2 = to.x + BOX.width / 2
  const down = to.y >= from.y
  const y1 = down ? from.y + BOX.height : from.y
  // The tip of the arrow needs some room.
  const y2 = down ? to.y - 6 : to.y + BOX.height + 6
  const bend = (y2 - y1) / 2
  return `M${x1} ${y1}C${x1 + swing} ${y1 + bend} ${x2 + swing} ${y2 - bend} ${x2} ${y2}`
}
