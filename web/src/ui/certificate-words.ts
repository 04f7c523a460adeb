/** Certificates in words. Shape and colour only repeat what these say. */
import type { CertificateStatus, CertificateSummary, Effect, Step, VouchMethod } from '../model-certificates'
import { count } from './format'
import type { State } from './words'

export function statusState(status: CertificateStatus): State {
  switch (status) {
    case 'trusted':
      return { lamp: 'on', words: 'Trusted here' }
    case 'untrusted':
      return { lamp: 'off', words: 'Not trusted here' }
    case 'blacklisted':
      return { lamp: 'failed', words: 'Blacklisted by the owner' }
    case 'revoked':
      return { lamp: 'failed', words: 'Withdrawn' }
    case 'suspended':
      return { lamp: 'lost', words: 'Waits for the owner' }
    case 'waiting':
      return { lamp: 'busy', words: 'Its issuer is not known here' }
  }
}

/** The states that a list can be narrowed to, in the order of their use. */
export const statuses: readonly (readonly [CertificateStatus, string])[] = [
  ['trusted', 'Trusted'],
  ['untrusted', 'Not trusted'],
  ['blacklisted', 'Blacklisted'],
  ['revoked', 'Withdrawn'],
  ['suspended', 'Waits for the owner'],
  ['waiting', 'Issuer not known'],
]

/** How a licence was checked, to follow a comma. */
export function howChecked(method: VouchMethod): string {
  switch (method) {
    case 'self-asserted':
      return 'on their own word'
    case 'in-person':
      return 'checked in person'
    case 'lotw':
      return 'checked by a Logbook of the World certificate'
    case 'endorsements':
      return 'on the word of other operators'
    case 'document':
      return 'checked by a document'
  }
}

type Vouched = Pick<CertificateSummary, 'server' | 'vouchedBy' | 'method' | 'callsign'>

/** Who vouches, and how: `Vouched for by W1AW, checked in person`. */
export function whoVouches({ server, vouchedBy, method, callsign }: Vouched): string {
  if (server) return `The server of ${callsign}`
  if (vouchedBy === null || method === null) return 'It says nothing of a licence'
  const ownWord = method === 'self-asserted' || vouchedBy === callsign
  return ownWord ? 'Their own word: nobody vouches here' : `Vouched for by ${vouchedBy}, ${howChecked(method)}`
}

/** What a step of a way to a root is. */
export function stepWords(step: Step): string {
  if (!step.anchor) return whoVouches(step)
  return step.server ? `The server of ${step.callsign}, a root here` : 'A root here: trusted without anybody else’s word'
}

/** What a decision does to people, in numbers. */
export function effectWords({ keysLost, keysGained, loseCount, gainCount }: Effect, would: boolean): string {
  const lose = would ? 'would lose' : 'lost'
  const gain = would ? 'would gain' : 'gained'
  const parts = [
    loseCount > 0 && `${count(loseCount, 'certificate')} ${lose} trust${keysLost > 0 ? `, and with that ${count(keysLost, 'key is', 'keys are')} trusted no more` : ''}`,
    gainCount > 0 && `${count(gainCount, 'certificate')} ${gain} trust${keysGained > 0 ? `, and with that ${count(keysGained, 'key is', 'keys are')} trusted anew` : ''}`,
  ].filter((part) => part !== false)
  if (parts.length > 0) return `${parts.join('. ')}.`
  return would ? 'Nobody would lose trust.' : 'Nobody’s trust changed.'
}
