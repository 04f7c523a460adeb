/** Whether this browser trusts the server's secure addresses: it does where the server answers at one. */
import type { Info } from './api'

const ANSWER_WITHIN = 4_000

/**
 * The first in the list at which the server with this fingerprint answers. All are asked at once; an
 * earlier one is waited for, because keys stay with the address they were brought to, and the list
 * begins with the one that lasts.
 */
export async function firstTrusted(urls: readonly string[], fingerprint: string | null): Promise<string | null> {
  const answers = urls.map((url) => answersAt(url, fingerprint))
  for (const answer of answers) {
    const url = await answer
    if (url !== null) return url
  }
  return null
}

async function answersAt(url: string, fingerprint: string | null): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/api/info`, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN) })
    const { certFingerprint } = (await answer.json()) as Info
    // Names such as `ham-server.local` may lead to another server, which this device also trusts.
    return certFingerprint === fingerprint ? url : null
  } catch {
    // No trust, no such name, or no way there: a page is not told which.
    return null
  }
}
