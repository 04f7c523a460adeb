/**
 * Reads what leads to a server: a scanned code, a pasted message, an address typed by hand.
 *
 * It comes from anybody. Nothing of it is opened here, and of a URL only the server's address and what this app
 * knows after the `#` is kept: no other scheme, no user name, no path.
 */
import type { Invitation } from '../../model-reach'
import { readJoinCode } from '../join-code'

const MAX_LENGTH = 4096
const USUAL_PORT = '8080'
/** Pages that links between people lead to (ui/invitations.ts). */
const PAGES = /^#\/(become|endorse|endorsed)\/[\w.%~+-]{1,1024}$/

export function readInvitation(text: string): Invitation | null {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > MAX_LENGTH) return null
  return fromObject(trimmed) ?? fromMessage(trimmed) ?? fromAddress(trimmed)
}

/** The older form of the codes: a JSON object with the server's address. */
function fromObject(text: string): Invitation | null {
  if (!text.startsWith('{')) return null
  try {
    const { url, endpoint, signalingUrl } = JSON.parse(text) as Record<string, unknown>
    for (const candidate of [url, endpoint, signalingUrl]) {
      if (typeof candidate !== 'string') continue
      const found = fromUrl(candidate.replace(/^ws/, 'http'))
      if (found) return found
    }
  } catch {
    // Not JSON after all.
  }
  return null
}

/** The first URL in a text, which may be a message around it. */
function fromMessage(text: string): Invitation | null {
  const [found] = /https?:\/\/[^\s<>"']+/i.exec(text) ?? []
  return found === undefined ? null : fromUrl(found)
}

/** `192.168.1.7`, `w1aw.local:8081`: as a person types it. */
function fromAddress(text: string): Invitation | null {
  if (!/^[\w.:[\]-]+$/.test(text) || !/[.:]|^localhost$/.test(text)) return null
  const hasPort = /[\w\]]:\d{1,5}$/.test(text) && (text.startsWith('[') || text.split(':').length === 2)
  const bare6 = text.split(':').length > 2 && !text.startsWith('[')
  const host = bare6 ? `[${text}]` : text
  return fromUrl(hasPort ? `http://${host}` : `http://${host}:${USUAL_PORT}`)
}

function fromUrl(text: string): Invitation | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.hostname === '') return null
  const joins = readJoinCode(url.hash)
  const hash = joins || PAGES.test(url.hash) ? url.hash : ''
  return { url: `${url.origin}/${hash}`, address: url.host, fingerprint: joins?.fingerprint ?? null, local: isLocal(url.hostname) }
}

/** Where a server is, as another server says: an address without anything behind it; null for all else, such as a script. */
export function readEndpoint(text: unknown): Pick<Invitation, 'address' | 'local'> & { readonly endpoint: string } | null {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return null
  const read = fromUrl(text)
  return read === null ? null : { endpoint: new URL(read.url).origin, address: read.address, local: read.local }
}

/** Whether a host can only be on this network or an AREDN one; the names and ranges servers have certificates for, and 44net. */
export function isLocal(host: string): boolean {
  const name = host.toLowerCase()
  if (name.startsWith('[')) return /^\[(f[cd]|fe[89ab]|::1\])/.test(name)
  const octets = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(name)
  if (!octets) return name === 'localhost' || /\.local(\.mesh)?$/.test(name)
  const [first, second] = [Number(octets[1]), Number(octets[2])]
  return first === 10 || first === 127 || (first === 44 && second < 192) || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168) || (first === 169 && second === 254)
}
