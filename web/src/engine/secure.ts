/** Whether this browser trusts the server's secure addresses: it does where one answers. */

const ANSWER_WITHIN = 4_000

/**
 * The first in the list that answers. All are asked at once; an earlier one is waited for, because keys
 * stay with the address they were brought to, and the list begins with the one that lasts.
 */
export async function firstTrusted(urls: readonly string[]): Promise<string | null> {
  const answers = urls.map(answersAt)
  for (const answer of answers) {
    const url = await answer
    if (url !== null) return url
  }
  return null
}

async function answersAt(url: string): Promise<string | null> {
  try {
    const { ok } = await fetch(`${url}/healthz`, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN) })
    return ok ? url : null
  } catch {
    // No trust, no such name, or no way there: a page is not told which.
    return null
  }
}
