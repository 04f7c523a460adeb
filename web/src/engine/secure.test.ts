import { afterEach, describe, expect, it, vi } from 'vitest'
import { firstTrusted } from './secure'

const name = 'https://w1aw.local:8080'
const address = 'https://192.168.1.9:8080'

function network(answer: (url: string, signal: AbortSignal) => Promise<Response>) {
  vi.stubGlobal('fetch', (url: string, { signal }: { signal: AbortSignal }) => answer(url, signal))
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('firstTrusted', () => {
  it('prefers the earlier address, even where a later one is quicker', async () => {
    let answer: (response: Response) => void = () => undefined
    const slow = new Promise<Response>((resolve) => {
      answer = resolve
    })
    network((url) => (url.startsWith(name) ? slow : Promise.resolve(new Response('ok'))))
    const found = firstTrusted([name, address])
    answer(new Response('ok'))
    expect(await found).toBe(name)
  })

  it('takes a later one where the earlier is not trusted', async () => {
    network(async (url) => {
      if (url.startsWith(name)) throw new TypeError('Failed to fetch')
      return new Response('ok')
    })
    expect(await firstTrusted([name, address])).toBe(address)
  })

  it('finds none where nobody answers, or somebody else does', async () => {
    network(async (url) => {
      if (url.startsWith(name)) throw new TypeError('Failed to fetch')
      return new Response('not here', { status: 404 })
    })
    expect(await firstTrusted([name, address])).toBeNull()
    expect(await firstTrusted([])).toBeNull()
  })

  it('does not wait for long', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
    network(async (_, signal) => {
      signal.throwIfAborted()
      return new Response('ok')
    })
    expect(await firstTrusted([name])).toBeNull()
    expect(timeout).toHaveBeenCalledWith(4_000)
  })
})
