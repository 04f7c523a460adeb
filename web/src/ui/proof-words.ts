/** Who is at the other end of a call, in words: what is proven, and what is not. */
import type { PathStep, Proof, Voucher } from '../model'

/** One line: the person, and on whose word. */
export function proofLine(proof: Proof): string {
  switch (proof.kind) {
    case 'proven': {
      const callsign = proof.path[0]?.callsign ?? ''
      if (proof.voucher === 'owner') return `${callsign}, the owner of this server`
      if (proof.voucher === 'root') return `${callsign}, on whose word your own certificate rests`
      return `${callsign}, vouched by ${stepName(proof.voucher)}${how(proof.voucher)}`
    }
    case 'unproven':
      return `Not proven to be ${proof.certificate.callsign}: ${whyNot(proof)}`
    case 'no-key':
      return 'Guest, not proven: guests have no key'
    case 'plain-page':
      return 'Not proven: this page came over plain http'
  }
}

/** What that means, and one thing to do where there is one. */
export function proofMeaning(proof: Proof): string {
  switch (proof.kind) {
    case 'proven':
      return 'They signed this call, and both browsers confirmed it to each other. Nobody in between, this server included, can have changed it.'
    case 'unproven':
      return `They signed this call, so nobody in between can have changed it. But who holds this key your browser cannot tell: ask ${proof.certificate.callsign} by radio or in person to read you the fingerprint of their certificate.`
    case 'no-key':
      return 'Nobody vouches for who this is, and somebody in between could listen. Ask something only they know.'
    case 'plain-page':
      return 'Browsers check signatures only on secure pages. Use the secure address of this server to see who calls.'
  }
}

/** A step of the path as one says it. */
export function stepName({ callsign, server }: Pick<PathStep, 'callsign' | 'server'>): string {
  return server ? `${callsign}’s server` : callsign
}

function how({ method }: Voucher): string {
  switch (method) {
    case 'self-asserted':
      return ''
    case 'in-person':
      return ' in person'
    case 'lotw':
      return ' by their LoTW certificate'
    case 'endorsements':
      return ' on the word of other operators'
    case 'document':
      return ' by their licence'
  }
}

function whyNot({ why }: Extract<Proof, { kind: 'unproven' }>): string {
  switch (why) {
    case 'nobody-known':
      return 'nobody whom this browser knows vouches for them'
    case 'withdrawn':
      return 'this key was withdrawn, and whoever uses it may be somebody else'
    case 'distrusted':
      return 'the owner of this server does not trust this key'
    case 'disputed':
      return 'more than one key claims this callsign'
  }
}
