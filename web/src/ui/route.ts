/**
 * Where in the app we are, kept in the URL's hash: the server then serves one page, and the joining
 * URL of the QR code (`#join=1.<fingerprint>[.<net>]`) works without any path.
 */
import { signal } from '@preact/signals'

/** Parts of the certificates page. */
export const sections = ['mine', 'people', 'requests', 'distrust', 'roots', 'log'] as const
export type Section = (typeof sections)[number]

/** `text` is what an invitation carries (invitations.ts). */
export type Route =
  | { readonly page: 'people' }
  | { readonly page: 'conversation'; readonly peerId: string }
  | { readonly page: 'certificates'; readonly section: Section }
  | { readonly page: 'certificate'; readonly fingerprint: string }
  | { readonly page: 'become'; readonly text: string | null }
  | { readonly page: 'endorse'; readonly text: string }
  | { readonly page: 'endorsed'; readonly text: string }
  | { readonly page: 'servers' }
  | { readonly page: 'station' }
  | { readonly page: 'licence' }
  | { readonly page: 'trust' }
  | { readonly page: 'diagnosis'; readonly after: 'call' | null }

/** Reads a hash. What it does not know leads to People: an old link is no reason for a dead end. */
export function parseRoute(hash: string): Route {
  const [page, rest] = hash.replace(/^#\/?/, '').split('/', 2)
  if (page === 'servers' || page === 'station' || page === 'licence' || page === 'trust') return { page }
  if (page === 'certificates') return { page, section: sections.find((name) => name === rest) ?? 'mine' }
  if (page === 'diagnosis') return { page, after: rest === 'call' ? rest : null }
  if (page === 'become') return { page, text: rest ?? null }
  if (page === 'certificate' && rest && /^[0-9a-f]{64}$/.test(rest)) return { page, fingerprint: rest }
  if ((page === 'endorse' || page === 'endorsed') && rest) return { page, text: rest }
  if (page === 'with' && rest) {
    try {
      return { page: 'conversation', peerId: decodeURIComponent(rest) }
    } catch {
      // A cut-off escape in a link typed by hand.
      return { page: 'people' }
    }
  }
  return { page: 'people' }
}

export function routeHash(route: Route): string {
  switch (route.page) {
    case 'people':
      return '#/'
    case 'conversation':
      return `#/with/${encodeURIComponent(route.peerId)}`
    case 'certificates':
      return route.section === 'mine' ? '#/certificates' : `#/certificates/${route.section}`
    case 'certificate':
      return `#/certificate/${route.fingerprint}`
    case 'diagnosis':
      return route.after === null ? '#/diagnosis' : '#/diagnosis/call'
    case 'become':
    case 'endorse':
    case 'endorsed':
      return route.text === null ? `#/${route.page}` : `#/${route.page}/${route.text}`
    default:
      return `#/${route.page}`
  }
}

/** The hash that makes an address an invitation to a server and one of its nets, as its QR code has it. */
export function joinHash(fingerprint: string, net: string): string {
  return net === 'main' ? `#join=1.${fingerprint}` : `#join=1.${fingerprint}.${net}`
}

/** The route on screen. */
export const route = signal<Route>(parseRoute(location.hash))

window.addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash)
})

export function go(to: Route): void {
  location.hash = routeHash(to)
}

/** Takes out of the address what nobody should find in the history. */
export function replace(to: Route): void {
  history.replaceState(null, '', routeHash(to))
  route.value = to
}
