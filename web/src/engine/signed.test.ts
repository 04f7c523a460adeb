import { createHash, webcrypto } from 'node:crypto'
import { expect, it } from 'vitest'
import { signedHeaders } from './signed'
import { makeIdentity } from './trust/identity'

const offer = { nonce: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', tag: `ham-server/${'0f'.repeat(32)}` }
const target = 'http://localhost:8080/api/network'
const body = '{"open":true}'
const asked = { method: 'POST', target, body } as const
const operator = () => makeIdentity({ callsign: 'W1AW', licenceClass: null })

it('signs the base that the headers describe', async () => {
  const identity = await operator()
  const headers = await signedHeaders(identity, asked, offer)
  expect(headers['content-digest']).toBe(`sha-256=:${createHash('sha256').update(body).digest('base64')}:`)
  const parameters = headers['signature-input']?.replace(/^sig1=/, '') ?? ''
  expect(parameters).toContain(`nonce="${offer.nonce}"`)
  expect(parameters).toContain(`keyid="${identity.parsed.fingerprint}"`)
  const base = `"@method": POST\n"@target-uri": ${target}\n"content-digest": ${headers['content-digest']}\n"@signature-params": ${parameters}`
  const signature = Buffer.from(/^sig1=:(.*):$/.exec(headers['signature'] ?? '')?.[1] ?? '', 'base64')
  const genuine = await webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, identity.parsed.publicKey, signature, Buffer.from(base))
  expect(genuine).toBe(true)
})

it('signs a request without a body as one', async () => {
  const identity = await operator()
  const headers = await signedHeaders(identity, { method: 'DELETE', target: `${target}?scope=key` }, offer)
  expect(headers).not.toHaveProperty('content-digest')
  const parameters = headers['signature-input']?.replace(/^sig1=/, '') ?? ''
  expect(parameters).toMatch(/^\("@method" "@target-uri"\);/)
  const base = `"@method": DELETE\n"@target-uri": ${target}?scope=key\n"@signature-params": ${parameters}`
  const signature = Buffer.from(/^sig1=:(.*):$/.exec(headers['signature'] ?? '')?.[1] ?? '', 'base64')
  expect(await webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, identity.parsed.publicKey, signature, Buffer.from(base))).toBe(true)
})

it('signs nothing of the server’s but a nonce and a tag', async () => {
  const identity = await operator()
  const forged = [
    { ...offer, nonce: 'short' },
    { ...offer, nonce: `${offer.nonce.slice(0, 40)}";x` },
    { ...offer, tag: 'ham-server/"\n"@method": DELETE' },
    { ...offer, tag: 'another-protocol/-' },
  ]
  for (const each of forged) await expect(signedHeaders(identity, asked, each)).rejects.toThrow('Reload the page')
})
