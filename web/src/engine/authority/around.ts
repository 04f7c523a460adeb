/** Who vouches for whom around one certificate: the ways up to the roots, whom its key vouches for, and others of the same callsign. */
import type { CertificateSummary, Surroundings } from '../../model-certificates'
import type { Client } from './client'
import { summary } from './views'
import type * as Wire from './wire'

/** Most certificates that are drawn. */
const MAX_DRAWN = 40
const MAX_BELOW = 16

export async function surroundings(client: Client, centre: string): Promise<Surroundings> {
  const [detail, explained] = await Promise.all([
    client.get<Wire.Detail>(`/api/certificates/${centre}`),
    client.get<Wire.Explained>(`/api/certificates/${centre}/explain`),
  ])
  const [named, below] = await Promise.all([
    client.get<Wire.Summary[]>(`/api/certificates?callsign=${encodeURIComponent(detail.callsign)}&limit=${MAX_DRAWN}`),
    client.page<Wire.Summary[]>(`/api/certificates?issuer=${detail.keyId}&limit=${MAX_BELOW}`),
  ])
  const people = new Map<string, CertificateSummary>([[centre, summary(detail)]])
  const words = new Map<string, Surroundings['words'][number]>()
  for (const { steps, leftOut } of explained.paths) {
    for (const [index, step] of steps.entries()) {
      if (!people.has(step.fingerprint)) people.set(step.fingerprint, ofStep(step))
      const above = steps[index + 1]
      // Where the middle of a long way is left out, neighbours in the list are none in truth.
      if (above && leftOut === 0) words.set(`${above.fingerprint} ${step.fingerprint}`, { from: above.fingerprint, to: step.fingerprint, method: step.method ?? null })
    }
  }
  for (const one of below.body) {
    // A self-signed certificate is no word for anybody else.
    if (one.keyId === detail.keyId) continue
    people.set(one.fingerprint, summary(one))
    words.set(`${centre} ${one.fingerprint}`, { from: centre, to: one.fingerprint, method: one.method ?? null })
  }
  for (const one of named) if (!people.has(one.fingerprint)) people.set(one.fingerprint, summary(one))
  const drawn = [...people.values()].slice(0, MAX_DRAWN)
  const kept = new Set(drawn.map(({ fingerprint }) => fingerprint))
  return {
    centre,
    people: drawn,
    words: [...words.values()].filter(({ from, to }) => kept.has(from) && kept.has(to)),
    more: people.size > drawn.length || below.next !== null,
  }
}

function ofStep(step: Wire.Step): CertificateSummary {
  return {
    fingerprint: step.fingerprint,
    keyId: step.keyId,
    callsign: step.callsign,
    server: step.server,
    licenceClass: null,
    status: 'trusted',
    vouchedBy: step.vouchedBy ?? null,
    method: step.method ?? null,
    anchor: step.anchor,
    generation: 0,
  }
}
