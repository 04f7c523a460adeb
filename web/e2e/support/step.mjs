/** A test whose steps each stand on the one before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellOfPages } from './pages.mjs'

let lost = false

export function step(name, walk) {
  test(name, async () => {
    assert.ok(!lost, 'an earlier step failed')
    lost = true
    try {
      await walk()
    } catch (error) {
      await tellOfPages()
      throw error
    }
    lost = false
  })
}
