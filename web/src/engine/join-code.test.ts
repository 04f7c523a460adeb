import { expect, it } from 'vitest'
import { readJoinCode } from './join-code'

const fingerprint = 'ab'.repeat(32)

it.each([
  [`#join=1.${fingerprint}`, { fingerprint, net: null }],
  [`#join=1.${fingerprint.toUpperCase()}.Field-Day`, { fingerprint, net: 'field-day' }],
  [`#join=2.${fingerprint}`, null],
  [`#join=1.${fingerprint.slice(1)}`, null],
  [`#join=1.${fingerprint}.a b`, null],
  ['#/people', null],
  ['', null],
])('reads %s', (hash, code) => {
  expect(readJoinCode(hash)).toEqual(code)
})
