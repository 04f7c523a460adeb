/** Waiting for a state. Machines are slow and shared, so deadlines are many times what is usual. */
import { setTimeout as pause } from 'node:timers/promises'

export const deadline = 60_000

/** Asks until the answer is neither empty nor an error, and returns it. */
export async function until(what, ask) {
  const end = Date.now() + deadline
  let last
  do {
    try {
      const answer = await ask()
      if (answer) return answer
      last = undefined
    } catch (error) {
      last = error
    }
    await pause(50)
  } while (Date.now() < end)
  throw new Error(`waited in vain for ${what}`, { cause: last })
}
