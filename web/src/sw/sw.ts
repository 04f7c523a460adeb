/**
 * The service worker: keeps the app, so that it opens without the server and finds another one.
 *
 * Each version of the app has a cache of its own, filled whole before the version is used. A new version waits
 * until the pages of the old one are closed: they may still load parts of it. What the server says is never kept.
 */
import { answerFor } from './routes'

/** Put in by the build: every file of the app, and what tells this version from others. */
declare const FILES: readonly string[]
declare const VERSION: string

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Fetching extends Lasting {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker {
  readonly location: Location
  readonly clients: { claim(): Promise<void> }
  addEventListener(type: 'install' | 'activate', act: (event: Lasting) => void): void
  addEventListener(type: 'fetch', act: (event: Fetching) => void): void
}

const worker = globalThis as unknown as Worker
const PREFIX = 'ham-server-'
const NAME = `${PREFIX}${VERSION}`
const PAGE = '/'
const kept: ReadonlySet<string> = new Set(FILES)
/** A server that takes longer is taken for gone: the app opens, and goes on asking by itself. */
const PAGE_WITHIN = 3_000

worker.addEventListener('install', (event) => {
  event.waitUntil(keep())
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([forgetOthers(), worker.clients.claim()]))
})

worker.addEventListener('fetch', (event) => {
  switch (answerFor(event.request, worker.location.origin, kept)) {
    case 'page':
      return event.respondWith(page(event.request))
    case 'file':
      return event.respondWith(file(event.request))
    case 'none':
      return
  }
})

/** Whole or not at all: where one file is missing, the version is not used. */
async function keep(): Promise<void> {
  const cache = await caches.open(NAME)
  // Past the browser's own cache, which may hold another version's page.
  await cache.addAll(FILES.map((path) => new Request(path, { cache: 'reload' })))
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys()
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)))
}

async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PAGE_WITHIN) })
  } catch {
    const cache = await caches.open(NAME)
    return (await cache.match(PAGE)) ?? Response.error()
  }
}

async function file(request: Request): Promise<Response> {
  const cache = await caches.open(NAME)
  return (await cache.match(request)) ?? fetch(request)
}
