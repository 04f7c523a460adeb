import { afterEach, describe, expect, it, vi } from 'vitest'
import { firstTrusted } from './secure'

const name = 'https://w1aw.local:8080'
const address = 'https://192.168.1.9:8080'
const ours = () => Response.json({ certFingerprint: 'ab12' })

function network(answer: (url: string, signal: AbortSignal) => Promise<Response>) {
  vi.stubGlobal('fetch', (url: string, { signal }: { signal: AbortSignal }) => answer(url, signal))
}

async function noTrust(): Promise<never> {
  throw new TypeError('Failed to fetch')
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('firstTrusted', () => {
  it('prefers the earlier address, even where a later one is quicker', async () => {
    let answer: (response: Response) => void = () => undefined
    const slow = new Promise<Response>((resolve) => {
      answer = resolve
    })
    network((url) => (url.startsWith(name) ? slow : Promise.resolve(ours())))
    const found = firstTrusted([name, address], 'ab12')
    answer(ours())
    expect(await found).toBe(name)
  })

  it('takes a later one where the earlier is not trusted', async () => {
    network(async (url) => (url.startsWith(name) ? noTrust() : ours()))
    expect(await firstTrusted([name, address], 'ab12')).toBe(address)
  })

  it('finds none where nobody answers, or another server does', async () => {
    network(async (url) => (url.startsWith(name) ? noTrust() : Response.json({ certFingerprint: 'cd34' })))
    expect(await firstTrusted([name, address], 'ab12')).toBeNull()
    network(async () => new Response('not a server of ours', { status: 404 }))
    expect(await firstTrusted([name, address], 'ab12')).toBeNull()
    expect(await firstTrusted([], 'ab12')).toBeNull()
  })

  it('does not wait for long', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
    network(async (_, signal) => {
      signal.throwIfAborted()
      return ours()
    })
    expect(await firstTrusted([name], 'ab12')).toBeNull()
    expect(timeout).toHaveBeenCalledWith(4_000)
  })
})
