/** Bytes a second over the last few seconds. */
const WINDOW = 4_000

export class Speed {
  #samples: { readonly at: number; readonly moved: number }[] = []

  /** Notes how much has moved by now and tells the speed. */
  note(moved: number, now: number): number {
    this.#samples.push({ at: now, moved })
    while (this.#samples.length > 2 && now - (this.#samples[1]?.at ?? now) >= WINDOW) this.#samples.shift()
    const first = this.#samples[0]
    const elapsed = first ? now - first.at : 0
    return first && elapsed > 0 ? ((moved - first.moved) * 1000) / elapsed : 0
  }
}

export function secondsLeft(remaining: number, speed: number): number | null {
  return speed > 0 ? Math.ceil(remaining / speed) : null
}
