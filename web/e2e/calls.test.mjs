/**
 * Calls of operators through a relay that cannot be trusted: what it changes, takes off, repeats or passes
 * off as another's is caught by the browsers, and shown to the people.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { twoMachines } from './support/network.mjs'
import { Client, claim, keyIdOf, makeOperator, signedCall } from './support/foreign.mjs'
import { entry, logIn, openPage, personIn, write } from './support/pages.mjs'
import { Relay } from './support/relay.mjs'
import { startServer } from './support/server.mjs'
import { step } from './support/step.mjs'
import { until } from './support/wait.mjs'

let folder
let machines
let server
/** It stands between K1ABC and the server. */
let relay
/** The owner, a friend, and somebody whom the owner vouched for as well and who means harm. */
let w1aw
let k1abc
let m0xyz
/** Their pages. */
let owner
let friend

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-calls-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'), 8080, { flags: ['--bind', '127.0.0.1'] })
  relay = await Relay.before(server)
  w1aw = await makeOperator(folder, 'W1AW')
  k1abc = await makeOperator(folder, 'K1ABC', w1aw)
  m0xyz = await makeOperator(folder, 'M0XYZ', w1aw)
  await claim(server, w1aw)
  owner = await openPage(await machines.browserHere())
  friend = await openPage(await relay.browser())
})

after(async () => {
  await owner?.context().browser().close()
  await friend?.context().browser().close()
  relay?.close()
  await server?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

step('two operators log in, one of them through the relay', async () => {
  await logIn(owner, server.local, w1aw)
  await logIn(friend, server.local, k1abc)
  assert.ok(relay.said.some(({ type }) => type === 'CHALLENGE'), 'the relay sees nothing')
})

step('each sees who the other is, and on whose word', async () => {
  await personIn(owner, 'K1ABC').click()
  await owner.getByText('Connected to K1ABC, verified').waitFor()
  await owner.getByText('K1ABC, vouched by W1AW in person').click()
  const fingerprint = await owner.locator('.proof .fingerprint').textContent()
  assert.equal(fingerprint.replaceAll(/\s/g, '').toLowerCase(), k1abc.fingerprint)
  assert.deepEqual(await owner.locator('.proof-path > li').allTextContents(), ['K1ABC', 'W1AW, whom this browser believes'])

  await personIn(friend, 'W1AW').click()
  await friend.getByText('Connected to W1AW, verified').waitFor()
  await friend.getByText('W1AW, the owner of this server').waitFor()
  await write(owner, 'CQ de W1AW')
  await entry(friend, 'CQ de W1AW').waitFor()
  await hangUp(owner)
})

const changes = [
  ['another DTLS certificate', swapped, 'Somebody between you and * changed this call'],
  ['a second DTLS certificate', doubled, 'Somebody between you and * added a second encryption key'],
  ['a statement taken off', stripped, 'came in the name of * without their signature'],
  ['another’s statement', resigned, 'Somebody between you and * changed this call'],
]
for (const [what, change, words] of changes) {
  step(`an offer with ${what} is refused`, async () => {
    relay.toBrowser = only('OFFER_RECEIVED', change)
    await callAgain(owner)
    await friend.getByText(words.replace('*', 'W1AW')).waitFor()
    assert.equal(await friend.getByText('Connected to W1AW').count(), 0)
    relay.toBrowser = asItIs
    await hangUp(owner)
  })

  step(`an answer with ${what} is refused`, async () => {
    relay.toServer = only('ANSWER', change)
    await callAgain(owner)
    await owner.getByText(words.replace('*', 'K1ABC')).waitFor()
    assert.equal(await owner.getByText('Connected to K1ABC').count(), 0)
    relay.toServer = asItIs
  })
}

step('an offer that another signed, with their own certificate, is refused', async () => {
  const chain = [m0xyz.pem, ...m0xyz.chain]
  relay.toBrowser = only('OFFER_RECEIVED', (frame) => ({ ...resigned(frame), chain }))
  await callAgain(owner)
  await friend.getByText('This call was signed by somebody else than W1AW').waitFor()
  relay.toBrowser = asItIs
  await hangUp(owner)
})

step('an answer of another call is not used', async () => {
  const answers = () => relay.said.filter(({ type }) => type === 'ANSWER')
  const before = answers().at(-1)
  relay.toServer = only('ANSWER', () => before)
  await callAgain(owner)
  await owner.getByText('An answer of K1ABC came that belongs to another call. It was not used.').waitFor()
  assert.equal(await owner.getByText('Connected to K1ABC').count(), 0)
  relay.toServer = asItIs
  await hangUp(owner)
})

step('a call that was is not begun again by repeating it', async () => {
  const offers = () => relay.said.filter(({ type }) => type === 'OFFER_RECEIVED')
  await callAgain(owner)
  await friend.getByText('Connected to W1AW, verified').waitFor()
  const offer = offers().at(-1)
  await hangUp(owner)
  await friend.getByText('W1AW ended the call.').waitFor()
  relay.tellBrowser(offer)
  await friend.getByText('Somebody repeated an earlier call of W1AW. It was not used.').waitFor()
})

step('what the relay says in a running call is kept out of it, and the call goes on', async () => {
  await callAgain(owner)
  await friend.getByText('Connected to W1AW, verified').waitFor()
  const offer = relay.said.findLast(({ type }) => type === 'OFFER_RECEIVED')
  const told = {
    'without their signature': stripped(offer),
    'added a second encryption key': doubled(offer),
    'changed this call': swapped(offer),
  }
  for (const [words, forged] of Object.entries(told)) {
    relay.tellBrowser(forged)
    await friend.getByText(words).waitFor()
    await friend.getByText('The call goes on as it was.').waitFor()
  }
  await write(friend, 'still here')
  await entry(owner, 'still here').waitFor()
  await hangUp(owner)
})

step('who passes off others’ descriptions as their own is unmasked by both', async () => {
  const client = await Client.open(`ws://localhost:${server.port}/signal`)
  const { peers } = await client.authenticate(m0xyz, await client.challenge(m0xyz))
  const sessionOf = (callsign) => peers.find((peer) => peer.callsign === callsign).id
  const [toOwner, toFriend] = [sessionOf('W1AW'), sessionOf('K1ABC')]
  const callId = Buffer.alloc(16, 7).toString('base64url')

  // W1AW calls them; they call K1ABC with W1AW's description, and answer W1AW with K1ABC's.
  await personIn(owner, 'M0XYZ').click()
  const called = await client.receive('OFFER_RECEIVED')
  const { offer, statement } = called
  const call = { callId, counter: 1, to: keyIdOf(k1abc) }
  client.send({ type: 'OFFER', target: toFriend, offer, statement: signedCall(m0xyz, offer, call).statement })
  const answered = await client.receive('ANSWER_RECEIVED')
  const { answer } = answered
  const reply = { callId: statement.callId, counter: 1, to: keyIdOf(w1aw) }
  client.send({ type: 'ANSWER', target: toOwner, answer, statement: signedCall(m0xyz, answer, reply, offer.sdp).statement })
  const others = { [toOwner]: toFriend, [toFriend]: toOwner }
  client.on('ICE_CANDIDATE_RECEIVED', ({ from, candidate }) => client.send({ type: 'ICE_CANDIDATE', target: others[from], candidate }))
  await personIn(friend, 'M0XYZ').click()
  for (const page of [owner, friend]) await page.getByText('M0XYZ did not confirm this call as you see it').waitFor()
  client.close()
})

step('a connection that breaks is taken up again, also in the middle of a call', async () => {
  await personIn(friend, 'W1AW').click()
  await callAgain(friend)
  await personIn(owner, 'K1ABC').click()
  await owner.getByText('Connected to K1ABC, verified').waitFor()
  const before = relay.said.length
  relay.cut()
  const since = () => relay.said.slice(before).map(({ type }) => type)
  await until('the session to go on', () => since().includes('RESUMED'))
  assert.ok(!since().includes('REGISTER'), 'it began anew')
  await friend.getByText('Connected as K1ABC, verified').waitFor()
  await write(friend, 'nobody noticed')
  await entry(owner, 'nobody noticed').waitFor()
})

step('a connection that is dead, and does not say so, is left when the device wakes up', async () => {
  const before = relay.connections
  relay.stall()
  await friend.evaluate(() => dispatchEvent(new Event('online')))
  await until('another connection', () => relay.connections > before)
  await friend.getByText('Connected as K1ABC, verified').waitFor()
  await write(owner, 'awake again')
  await entry(friend, 'awake again').waitFor()
})

const callAgain = (page) => page.getByRole('button', { name: /^Call .* again$/ }).click()
const hangUp = (page) => page.getByRole('button', { name: /^Hang up/ }).click()

function asItIs(frame) {
  return [frame]
}

function only(type, change) {
  return (frame) => [frame.type === type ? change(frame) : frame]
}

/** The same frame with another SDP. */
function withSdp(frame, change) {
  const what = frame.offer ? 'offer' : 'answer'
  return { ...frame, [what]: { ...frame[what], sdp: change(frame[what].sdp) } }
}

const otherKey = `a=fingerprint:sha-256 ${Array(32).fill('E5').join(':')}`

function swapped(frame) {
  return withSdp(frame, (sdp) => sdp.replaceAll(/^a=fingerprint:.*$/gm, otherKey))
}

function doubled(frame) {
  return withSdp(frame, (sdp) => sdp.replace(/^a=fingerprint:.*$/m, (line) => `${line.trim()}\r\n${otherKey}\r`))
}

function stripped({ statement, ...frame }) {
  assert.ok(statement)
  return frame
}

/** With a statement that M0XYZ made for it. */
function resigned(frame) {
  const { callId, counter, to } = frame.statement
  const changed = swapped(frame)
  return { ...changed, statement: signedCall(m0xyz, changed.offer ?? changed.answer, { callId, counter, to }).statement }
}
