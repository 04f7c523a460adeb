import { describe, expect, it } from 'vitest'
import { answerFor } from './routes'

const origin = 'https://w1aw.local:8080'
const kept = new Set(['/', '/assets/index-abc.js', '/favicon.svg'])

function answer(path: string, mode: RequestMode = 'cors', method = 'GET') {
  return answerFor({ url: new URL(path, origin).href, mode, method }, origin, kept)
}

describe('the service worker', () => {
  it('opens the page without the server', () => {
    expect(answer('/', 'navigate')).toBe('page')
    expect(answer('/?source=home', 'navigate')).toBe('page')
    expect(answer('/trust', 'navigate')).toBe('none')
    expect(answer('/nowhere', 'navigate')).toBe('none')
  })

  it('keeps the files of the app', () => {
    expect(answer('/assets/index-abc.js')).toBe('file')
    expect(answer('/favicon.svg', 'no-cors')).toBe('file')
    expect(answer('/assets/of-another-version.js')).toBe('none')
  })

  it.each(['/api/info', '/api/qr.svg', '/signal', '/ws/signal', '/trust/ca.crt', '/downloads/ham-server', '/healthz'])('leaves %s to the server', (path) => {
    expect(answer(path)).toBe('none')
    expect(answer(path, 'navigate')).toBe('none')
  })

  it('leaves other servers and other methods alone', () => {
    expect(answer('http://192.168.1.7:8080/')).toBe('none')
    expect(answer('https://192.168.1.7:8080/assets/index-abc.js')).toBe('none')
    expect(answer('/', 'navigate', 'POST')).toBe('none')
  })
})
