import { expect, it } from 'vitest'
import type { IdentityView, Person, ServerView, SessionView } from '../model'
import { mayCall, personKind, sentence, sessionState } from './words'

const server = { owner: 'W1AW' } as ServerView
const key = { callsign: 'K1ABC' } as IdentityView
const session = (phase: SessionView['phase'], role: SessionView['role'] = 'unlicensed') => ({ phase, role }) as SessionView

it('says as whom we are connected, and never claims more than the server granted', () => {
  expect(sessionState(session('connected'), server, null).words).toBe('Connected as a guest')
  expect(sessionState(session('connected', 'licensed'), server, key).words).toBe('Connected as K1ABC, verified')
  expect(sessionState(session('connected', 'unlicensed'), server, key).words).toBe('Connected as a guest: your key is not trusted here')
  expect(sessionState(session('waiting'), { owner: null } as ServerView, null).words).toBe('No connection to this server')
})

it('shows a typed callsign as no more than somebody’s word', () => {
  const person = (more: Partial<Person>) => personKind({ callsign: 'K1ABC', licensed: false, verified: false, isOwner: false, at: null, ...more } as Person)
  expect(person({})).toBe('Guest, says K1ABC, not proven')
  expect(person({ callsign: 'GUEST' })).toBe('Guest')
  expect(person({ licensed: true })).toBe('Operator, not verified')
  expect(person({ licensed: true, verified: true })).toBe('Operator, verified')
  expect(person({ licensed: true, verified: true, isOwner: true })).toBe('Owner of this server, verified')
  expect(person({ licensed: true, verified: true, at: 'N0XYZ' })).toBe('Operator, verified, at N0XYZ’s server')
})

it('lets guests call each other where the owner does, and never operators', () => {
  const may = (role: SessionView['role'], guestCalls: boolean) => [true, false].map((licensed) => mayCall({ role, guestCalls }, { licensed }))
  expect([may('licensed', false), may('unlicensed', false), may('unlicensed', true)]).toEqual([[true, true], [false, false], [false, true]])
})

it('takes an error’s own sentence before a general one', () => {
  expect(sentence(new Error('The password does not open this file.'), 'Try again.')).toBe('The password does not open this file.')
  expect(sentence('a thrown string', 'Try again.')).toBe('Try again.')
})
