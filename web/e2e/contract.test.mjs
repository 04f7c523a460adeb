/**
 * What docs/protocol promises to other programs: a client that knows nothing but those pages logs in,
 * calls a browser and talks with it; and those who may not are turned away.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
// First of ours: it puts the test on a network of its own.
import { addressHere, twoMachines } from './support/network.mjs'
import { RTCPeerConnection } from 'werift'
import { Client, claim, confirmation, fingerprintOf, isConfirmedBy, isGenuine, keyIdOf, makeOperator, signedCall, textOfCall } from './support/foreign.mjs'
import { entry, logIn, write } from './support/pages.mjs'
import { joiningUrl, startServer } from './support/server.mjs'
import { deadline, until } from './support/wait.mjs'

let folder
let machines
let server
let otherServer
/** The first server's owner, and an operator they vouch for. */
let owner
let friend
const opened = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ham-server-contract-'))
  machines = await twoMachines(folder)
  server = await startServer(join(folder, 'data'))
  otherServer = await startServer(join(folder, 'other-data'), 8081)
  owner = await makeOperator(folder, 'W1AW')
  friend = await makeOperator(folder, 'K1ABC', owner)
  await claim(server, owner)
  await claim(otherServer, await makeOperator(folder, 'N0XYZ'))
})

after(async () => {
  for (const thing of opened) await thing.close()
  await server?.stop()
  await otherServer?.stop()
  machines?.close()
  await rm(folder, { recursive: true, force: true })
})

test('an operator whom the owner vouches for logs in, calls a browser and talks with it', async () => {
  const page = await guestPage()
  const client = await connect(server)
  const challenge = await client.challenge(friend)
  assert.equal(challenge.type, 'CHALLENGE')
  assert.ok(isGenuine(challenge, client.url))
  assert.equal(fingerprintOf(challenge.serverProof.chain[0]), await joinedFingerprint())
  const registered = await client.authenticate(friend, challenge)
  assert.equal(registered.type, 'REGISTERED')
  assert.equal(registered.role, 'licensed')
  assert.equal(registered.serverOwner, 'W1AW')
  const [guest] = registered.peers
  assert.equal(guest.hasLicense, false)

  const { connection, channel, said } = peerConnection(client, guest.id)
  await connection.setLocalDescription(await connection.createOffer())
  const { type, sdp } = connection.localDescription
  client.send({ type: 'OFFER', target: guest.id, offer: { type, sdp }, id: 'call' })

  const answer = await client.receive('ANSWER_RECEIVED')
  assert.equal(answer.from, guest.id)
  assert.equal(answer.verified, false)
  assert.match(answer.answer.sdp, /^a=fingerprint:sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\r$/m)
  await connection.setRemoteDescription(answer.answer)
  const { from, candidate } = await client.receive('ICE_CANDIDATE_RECEIVED')
  assert.equal(from, guest.id)
  assert.match(candidate.candidate, /^candidate:/)
  await connection.addIceCandidate(candidate)

  await until('the channel to open', () => channel.readyState === 'open')
  channel.send(JSON.stringify({ type: 'hello', version: 1 }))
  channel.send(JSON.stringify({ type: 'text', id: 'a1', text: 'by another program' }))
  await until('the browser to greet', () => said.some((message) => message.type === 'hello'))
  await until('the receipt', () => said.some(({ type, id }) => type === 'received' && id === 'a1'))
  await page.getByRole('button', { name: 'Open the conversation' }).click()
  await page.getByText('Connected to K1ABC', { exact: true }).waitFor()
  await page.getByRole('region', { name: 'Conversation with K1ABC' }).getByText('by another program').waitFor()
})

test('an operator’s browser believes a call that is signed as the pages say, and signs its own', async () => {
  const page = await openPage(await machines.browserHere())
  await logIn(page, server.local, owner)
  const client = await connect(server)
  const { peers } = await client.authenticate(friend, await client.challenge(friend))
  const { id } = peers.find(({ callsign }) => callsign === 'W1AW')

  const { connection, channel, said } = peerConnection(client, id)
  await connection.setLocalDescription(await connection.createOffer())
  const { type, sdp } = connection.localDescription
  const call = { callId: randomBytes(16).toString('base64url'), counter: 1, to: keyIdOf(owner) }
  const offer = signedCall(friend, { type, sdp }, call)
  client.send({ type: 'OFFER', target: id, offer: { type, sdp }, statement: offer.statement })
  const answer = await client.receive('ANSWER_RECEIVED')
  assert.equal(answer.statement.callId, call.callId)
  assert.equal(answer.statement.to, keyIdOf(friend))
  assert.equal(fingerprintOf(answer.chain[0]), owner.fingerprint)
  const answerText = textOfCall(answer, sdp)
  await connection.setRemoteDescription(answer.answer)
  client.on('ICE_CANDIDATE_RECEIVED', ({ candidate }) => connection.addIceCandidate(candidate))

  await until('the channel to open', () => channel.readyState === 'open')
  await until('their confirmation', () => said.length > 0)
  // Signatures differ each time they are made; all else is the same.
  assert.deepEqual(said[0], { ...confirmation(owner, offer.text, answerText), signature: said[0].signature })
  assert.ok(isConfirmedBy(owner, said[0]))
  channel.send(JSON.stringify(confirmation(friend, offer.text, answerText)))
  channel.send(JSON.stringify({ type: 'hello', version: 1 }))
  await page.locator('.rows > li').filter({ hasText: /K1ABC.*connected/ }).click()
  await page.getByText('Connected to K1ABC, verified').waitFor()
  await page.getByText('K1ABC, vouched by W1AW in person').waitFor()
  channel.send(JSON.stringify({ type: 'text', id: 'a1', text: 'signed by another program' }))
  await entry(page, 'signed by another program').waitFor()
  await write(page, 'and answered')
  await until('the text', () => said.some(({ text }) => text === 'and answered'))
  await page.context().browser().close()
})

test('the older path leads to the same signaling', async () => {
  const client = await connect(server, '/ws/signal')
  const registered = await client.authenticate(friend, await client.challenge(friend))
  assert.equal(registered.role, 'licensed')
})

test('a guest may be called, and may not call', async () => {
  const operator = await connect(server)
  const { clientId } = await operator.authenticate(friend, await operator.challenge(friend))
  const guest = await connect(server)
  guest.send({ type: 'REGISTER', callsign: 'GUEST' })
  assert.equal((await guest.receive('REGISTERED')).role, 'unlicensed')
  guest.send({ type: 'OFFER', target: clientId, offer: { type: 'offer', sdp: 'v=0\r\n' }, id: 'q' })
  const error = await guest.receive('ERROR')
  assert.equal(error.code, 'license-required')
  assert.equal(error.replyTo, 'q')
  assert.ok(error.details.learn)
})

test('a callsign without a key that leads to the owner is a guest', async () => {
  const stranger = await makeOperator(folder, 'M0ABC')
  const client = await connect(server)
  const registered = await client.authenticate(stranger, await client.challenge(stranger))
  assert.equal(registered.role, 'unlicensed')
})

test('a proof made for one server is worthless at another', async () => {
  const elsewhere = signalUrl(otherServer)
  const wrongUrl = await (await connect(server)).challenge(friend, elsewhere)
  assert.equal(wrongUrl.code, 'wrong-url')

  // A server in the middle: the client dials it, and it passes on the challenge of the first.
  const middle = await connect(server)
  const passedOn = await middle.challenge(friend)
  assert.ok(!isGenuine(passedOn, elsewhere), 'the client would see that it was not asked where it dialled')
  const careless = await middle.authenticate(friend, passedOn, elsewhere)
  assert.equal(careless.code, 'bad-proof')

  // An answer to the other server's own challenge.
  const visitor = await connect(otherServer)
  const another = await visitor.challenge(friend)
  const relay = await connect(server)
  await relay.challenge(friend)
  assert.equal((await relay.authenticate(friend, another, visitor.url)).code, 'bad-proof')
})

test('a page signs nothing for a server that cannot prove itself', async () => {
  const page = await openPage(await machines.browserHere())
  await logIn(page, server.local, friend)

  const sent = []
  await page.routeWebSocket(/\/signal$/, (socket) => {
    const upstream = socket.connectToServer()
    socket.onMessage((text) => {
      sent.push(JSON.parse(text).type)
      upstream.send(text)
    })
    upstream.onMessage((text) => socket.send(forged(text)))
  })
  await page.reload()
  await page.getByText('This server could not prove that it is the one it says it is.').waitFor()
  assert.deepEqual(sent, ['REGISTER'])
})

/** The same message; a challenge with another's signature. */
function forged(text) {
  const message = JSON.parse(text)
  if (message.type !== 'CHALLENGE') return text
  const bytes = Buffer.from(message.serverProof.signature, 'base64url')
  bytes[10] ^= 1
  const serverProof = { ...message.serverProof, signature: bytes.toString('base64url') }
  return JSON.stringify({ ...message, serverProof })
}

/** A connection of another program's to somebody's browser, and what came by its control channel. */
function peerConnection(client, target) {
  const connection = new RTCPeerConnection({ iceServers: [] })
  opened.push(connection)
  const channel = connection.createDataChannel('ham', { negotiated: true, id: 0 })
  const said = []
  channel.onMessage.subscribe((text) => said.push(JSON.parse(text)))
  connection.onIceCandidate.subscribe((candidate) => {
    const end = { candidate: '', sdpMid: '0', sdpMLineIndex: 0 }
    client.send({ type: 'ICE_CANDIDATE', target, candidate: candidate?.toJSON() ?? end })
  })
  return { connection, channel, said }
}

async function guestPage() {
  const page = await openPage(await machines.browserThere())
  await page.goto(await joiningUrl(server, folder))
  await page.getByText('Connected as a guest', { exact: true }).waitFor()
  return page
}

async function openPage(browser) {
  opened.push(browser)
  const page = await browser.newPage()
  page.setDefaultTimeout(deadline)
  return page
}

async function connect(to, path = '/signal') {
  const client = await Client.open(signalUrl(to, path))
  opened.push(client)
  return client
}

const signalUrl = ({ port }, path = '/signal') => `ws://${addressHere}:${port}${path}`

async function joinedFingerprint() {
  return (await joiningUrl(server, folder)).match(/#join=1\.([0-9a-f]{64})$/)[1]
}
