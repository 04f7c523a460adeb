/** A test whose steps each stand on the one before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

let lost = false

export function step(name, walk) {
  test(name, async () => {
    assert.ok(!lost, 'an earlier step failed')
    lost = true
    await walk()
    lost = false
  })
}
