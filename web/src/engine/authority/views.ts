/** From the server's answers to what the pages see. */
import type {
  AdviceList,
  Affected,
  Applicant,
  CertificateSummary,
  CertificateView,
  Decisions,
  Effect,
  Explanation,
  FoundInFile,
  OpenCode,
  OwnBlacklist,
  Roots,
  Step,
} from '../../model-certificates'
import type * as Wire from './wire'

export function summary(wire: Wire.Summary): CertificateSummary {
  return {
    fingerprint: wire.fingerprint,
    keyId: wire.keyId,
    callsign: wire.callsign,
    server: wire.server,
    licenceClass: wire.licenseClass ?? null,
    status: wire.status,
    vouchedBy: wire.vouchedBy ?? null,
    method: wire.method ?? null,
    anchor: wire.anchor,
    generation: wire.generation,
  }
}

export function detail(wire: Wire.Detail, byUs: boolean): CertificateView {
  return {
    ...summary(wire),
    pem: wire.certificate,
    madeAt: wire.notBefore * 1000,
    contestedBy: wire.contestedBy,
    successor: wire.successor ?? null,
    advice: wire.advice.map(({ keyId, callsign }) => ({ keyId, callsign: callsign ?? null })),
    byUs,
  }
}

function step(wire: Wire.Step): Step {
  const { fingerprint, callsign, server, vouchedBy, method, anchor } = wire
  return { fingerprint, callsign, server, vouchedBy: vouchedBy ?? null, method: method ?? null, anchor }
}

export function explanation(wire: Wire.Explained): Explanation {
  return {
    status: wire.status,
    sentence: wire.sentence,
    paths: wire.paths.map(({ steps, leftOut }) => ({ steps: steps.map(step), leftOut })),
    roots: wire.roots.map(step),
    blocked: wire.blocked.map((one) => ({ step: step(one.step), cause: one.cause ?? null })),
    trustedBy: wire.trustedBy,
  }
}

export function ownBlacklist({ entries, published }: Wire.Entries): OwnBlacklist {
  return {
    entries: entries.map(({ scope, fingerprint, keyId, callsign, reason }) => ({
      scope,
      fingerprint: fingerprint ?? null,
      keyId: keyId ?? null,
      callsign: callsign ?? null,
      reason,
    })),
    published,
  }
}

export function advice({ advice: words, leftOut }: Wire.Advised): AdviceList {
  return {
    advice: words.map(({ id, by, scope, fingerprint, keyId, identity, callsign, reason, trusted, own }) => ({
      id,
      by: { callsign: by.callsign ?? null, verified: by.verified, proven: (by.server ?? null) !== null },
      scope,
      fingerprint: fingerprint ?? null,
      target: keyId ?? identity ?? null,
      callsign: callsign ?? null,
      reason,
      trusted,
      own,
    })),
    leftOut,
  }
}

export function effect(wire: Wire.Effect): Effect {
  const affected = (one: Affected): Affected => ({ fingerprint: one.fingerprint, callsign: one.callsign })
  return { ...wire, lose: wire.lose.map(affected), gain: wire.gain.map(affected) }
}

export function decisions(wire: Wire.Decisions): Decisions {
  return {
    requests: wire.requests.filter(({ state }) => state === 'waiting').map(applicant),
    contested: wire.contested,
    disputes: wire.disputes.map(({ old, callsign, successors }) => ({
      old,
      callsign: callsign ?? null,
      successors: successors.map(({ keyId, fingerprint }) => ({ keyId, fingerprint: fingerprint ?? null })),
    })),
    awaiting: wire.awaiting,
  }
}

function applicant(wire: Wire.Request): Applicant {
  const { id, callsign, keyId, method, why } = wire
  return { id, callsign, licenceClass: wire.licenseClass ?? null, keyId, method, note: wire.note ?? null, why, askedAt: time(wire.createdAt) ?? 0 }
}

export function codes(wire: Wire.Codes): readonly OpenCode[] {
  return wire.codes.map(({ id, callsign, licenseClass, createdAt }) => ({ id, callsign, licenceClass: licenseClass ?? null, madeAt: time(createdAt) ?? 0 }))
}

export function roots(wire: Wire.Anchors): Roots {
  return {
    anchors: wire.anchors.map(({ fingerprint, callsign, note, own }) => ({ fingerprint, name: callsign, note, own })),
    licenceRoots: wire.licenseRoots.map(({ fingerprint, subject, note }) => ({ fingerprint, name: subject, note, own: false })),
  }
}

export function foundInFile({ found, unread }: Wire.Found): FoundInFile {
  return {
    found: found.map(({ fingerprint, callsign, subject, kind, selfSigned }) => ({
      fingerprint,
      name: callsign ?? subject ?? 'No name',
      kind: kind === 'station' ? 'station' : 'licence-root',
      selfSigned,
    })),
    unread: unread.map(({ certificate, error }) => ({ which: certificate, why: error })),
  }
}

/** Seconds since 1970, or a date as text, in milliseconds. */
function time(wire: string | number | null): number | null {
  if (wire === null) return null
  const at = typeof wire === 'number' ? wire * 1000 : Date.parse(wire)
  return Number.isFinite(at) ? at : null
}
