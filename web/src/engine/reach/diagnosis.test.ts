import { describe, expect, it } from 'vitest'
import type { Check as Seen } from '../../wire/http'
import { conclude, type Evidence } from './diagnosis'

function seen(about: Seen['about'], state: Seen['state'] = 'ok'): Seen {
  return { about, state, sentence: `${about} is ${state}`, action: state === 'problem' ? 'Mend it.' : null }
}

const fine: Evidence = {
  server: { checks: [seen('network'), seen('zone'), seen('route', 'problem'), seen('address'), seen('multicast')] },
  ways: 1,
  media: 'prompt',
  localNetwork: null,
  secure: true,
  hasSecureAddress: true,
  trusted: false,
  callFailed: false,
}

const problems = (evidence: Evidence) =>
  conclude(evidence)
    .filter(({ state }) => state === 'problem')
    .map(({ about, help }) => (help === null ? about : `${about} (${help})`))

/** The server's view of one matter is another. */
function seeing(about: Seen['about'], state: Seen['state']): Evidence['server'] {
  return { checks: [...(fine.server?.checks ?? []).filter((check) => check.about !== about), seen(about, state)] }
}

describe('what is in the way of a call', () => {
  it('is nothing where the browser finds a way, whatever the server’s own route', () => expect(problems(fine)).toEqual([]))

  it('is the missing default route, with the way out that this page has', () => {
    expect(problems({ ...fine, ways: 0 })).toEqual(['route (microphone)'])
    expect(problems({ ...fine, ways: 0, secure: false, trusted: true })).toEqual(['route (trust)', 'certificate (trust)'])
  })

  it('is a permission that was refused, where it matters', () => {
    expect(problems({ ...fine, media: 'denied' })).toEqual([])
    expect(problems({ ...fine, ways: 0, media: 'denied' })).toEqual(['route (microphone)', 'permission'])
    expect(problems({ ...fine, localNetwork: 'denied' })).toEqual(['permission'])
    expect(problems({ ...fine, localNetwork: 'denied', secure: false, hasSecureAddress: false })).toEqual([])
  })

  it('is what the server sees', () => {
    for (const about of ['network', 'zone', 'address', 'multicast'] as const) {
      expect(problems({ ...fine, server: seeing(about, 'problem') })).toEqual([about])
    }
  })

  it('is the Wi-Fi that keeps devices apart, after a failed call and if nothing else is', () => {
    expect(problems({ ...fine, callFailed: true })).toEqual(['isolation'])
    expect(problems({ ...fine, callFailed: true, server: seeing('multicast', 'problem') })).toEqual(['multicast'])
  })

  it('is a certificate that this device does not trust, where there is one to trust', () => {
    expect(problems({ ...fine, secure: false })).toEqual(['certificate (trust)'])
    expect(problems({ ...fine, secure: false, hasSecureAddress: false })).toEqual([])
  })

  it('is the server that does not answer', () => {
    expect(problems({ ...fine, server: null })).toEqual(['server'])
    expect(problems({ ...fine, server: null, ways: null })).toEqual(['server', 'route'])
  })

  it('has one sentence for each, and one action for each problem', () => {
    for (const evidence of [fine, { ...fine, ways: 0, media: 'denied' as const }, { ...fine, server: null }]) {
      for (const { sentence, action, state } of conclude(evidence)) {
        expect(sentence.length).not.toBe('')
        expect(action === null).toBe(state !== 'problem')
      }
    }
  })
})
