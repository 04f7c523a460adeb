/** How long to wait before the next attempt: doubling, bounded, and never in step with other clients. */
const FIRST = 500
const LONGEST = 15_000

/** Milliseconds before attempt number `failures + 1`. */
export function startAfter(failures: number, random: () => number = Math.random): number {
  const base = Math.min(FIRST * 2 ** Math.min(failures, 10), LONGEST)
  return Math.round(base * (0.7 + 0.6 * random()))
}
