/** What the service worker answers, and from where. Pure. */

/**
 * `page`: from the server, and from what is kept where it does not answer. `file`: from what is kept, for its name
 * tells its content. `none`: the browser asks the server, as without a service worker.
 */
export type Answer = 'page' | 'file' | 'none'

/** What is the server's alone to say, and never kept. */
const LIVE = ['/api/', '/signal', '/ws/', '/trust', '/downloads/', '/healthz', '/metrics', '/coordinate']

export function answerFor(request: Pick<Request, 'method' | 'mode' | 'url'>, origin: string, kept: ReadonlySet<string>): Answer {
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== origin || LIVE.some((path) => url.pathname.startsWith(path))) return 'none'
  if (request.mode === 'navigate') return url.pathname === '/' ? 'page' : 'none'
  return kept.has(url.pathname) ? 'file' : 'none'
}
