/**
 * A client and an operator that share no code with this project: certificates by `openssl`, statements
 * by Node's own cryptography, all of it written from docs/protocol.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate, createHash, createPrivateKey, randomBytes, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import WebSocket from 'ws'
import { until } from './wait.mjs'

const licenceExtension = '1.2.840.113556.1.8000.2554.37032.47686.17048.20168.44507.12235074.8805687'
const authority = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\n'
const methods = { selfAsserted: 0, inPerson: 1 }

const openssl = (...words) => execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'ignore'] })

/** An operator with a key; without an issuer they vouch for themselves. */
export async function makeOperator(folder, callsign, issuer) {
  const file = (end) => join(folder, `${callsign}.${end}`)
  const method = issuer ? methods.inPerson : methods.selfAsserted
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file('key'))
  await writeFile(
    file('extensions'),
    `${authority}${licenceExtension}=ASN1:SEQUENCE:licence
[licence]
version=INTEGER:1
callsign=UTF8:${callsign}
method=ENUMERATED:${method}
vouchedBy=UTF8:${issuer?.callsign ?? callsign}
class=IMPLICIT:0,UTF8:Extra
`,
  )
  openssl('req', '-new', '-key', file('key'), '-utf8', '-subj', `/CN=${callsign}`, '-out', file('csr'))
  const signer = issuer ? ['-CA', issuer.file('pem'), '-CAkey', issuer.file('key')] : ['-signkey', file('key')]
  issue(file('csr'), signer, file('extensions'), file('pem'))
  const pem = await readFile(file('pem'), 'utf8')
  return {
    callsign,
    file,
    pem,
    chain: issuer ? [issuer.pem, ...issuer.chain] : [],
    key: createPrivateKey(await readFile(file('key'))),
    fingerprint: fingerprintOf(pem),
  }
}

/** The operator's key in a file as another program writes it. */
export function keyFile(operator, password) {
  const file = operator.file('p12')
  const words = ['-inkey', operator.file('key'), '-in', operator.file('pem'), '-passout', `pass:${password}`]
  openssl('pkcs12', '-export', ...words, '-out', file)
  return file
}

/** Makes the server the operator's, as somebody at its machine. */
export async function claim(server, operator) {
  const url = `${server.local}/api/claim-station`
  const offer = await (await fetch(url)).json()
  assert.equal(offer.codeRequired, false)
  await writeFile(operator.file('server-key'), offer.publicKey)
  await writeFile(operator.file('server-extensions'), authority)
  const request = operator.file('server-csr')
  openssl('req', '-new', '-key', operator.file('key'), '-utf8', '-subj', `/CN=${operator.callsign}/OU=Server`, '-out', request)
  const signer = ['-CA', operator.file('pem'), '-CAkey', operator.file('key'), '-force_pubkey', operator.file('server-key')]
  issue(request, signer, operator.file('server-extensions'), operator.file('server-pem'))
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      certificate: operator.pem,
      chain: operator.chain,
      serverCertificate: await readFile(operator.file('server-pem'), 'utf8'),
      station: { callsign: operator.callsign, metadata: {} },
    }),
  })
  assert.equal(answer.status, 200, await answer.text())
}

function issue(request, signer, extensions, out) {
  const serial = `0x${randomBytes(15).toString('hex')}`
  const words = ['-in', request, ...signer, '-set_serial', serial, '-extfile', extensions, '-sha256', '-days', '365']
  openssl('x509', '-req', ...words, '-out', out)
}

/** One WebSocket, and what came by it. */
export class Client {
  #socket
  #inbox = []
  #acts = new Map()

  static async open(url) {
    const client = new Client()
    client.url = url
    client.#socket = new WebSocket(url)
    client.#socket.on('message', (text) => {
      const message = JSON.parse(text)
      const act = client.#acts.get(message.type)
      if (act) act(message)
      else client.#inbox.push(message)
    })
    await once(client.#socket, 'open')
    return client
  }

  send(message) {
    this.#socket.send(JSON.stringify(message))
  }

  /** From now on messages of this type are not kept, but answered. */
  on(type, act) {
    this.#acts.set(type, act)
    for (const message of this.#inbox.filter((one) => one.type === type)) act(message)
  }

  /** The first message of one of these types that nobody has taken yet. */
  receive(...types) {
    return until(`a message ${types.join(' or ')}`, () => {
      const at = this.#inbox.findIndex(({ type }) => types.includes(type))
      return at < 0 ? null : this.#inbox.splice(at, 1)[0]
    })
  }

  /** Says who it is, and gets what the server wants signed. */
  async challenge(operator, url = this.url) {
    const nonce = randomBytes(32).toString('base64url')
    const { callsign, pem, chain } = operator
    this.send({ type: 'REGISTER', callsign, certificate: pem, chain, nonce, url })
    const answer = await this.receive('CHALLENGE', 'ERROR')
    return { ...answer, clientNonce: nonce, client: operator.fingerprint }
  }

  authenticate(operator, challenge, url = this.url) {
    this.send({ type: 'AUTHENTICATE', signature: signed(operator.key, statement('client-proof', challenge, url)) })
    return this.receive('REGISTERED', 'ERROR')
  }

  close() {
    this.#socket.close()
  }
}

/** Whether the server holds the key of its certificate, and was asked at this URL. */
export function isGenuine(challenge, url) {
  const { publicKey } = new X509Certificate(challenge.serverProof.chain[0])
  return isSignedBy(publicKey, statement('server-proof', challenge, url), challenge.serverProof.signature)
}

export function fingerprintOf(pem) {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

/** What an operator says of an offer or, with the SDP that it answers, of an answer: as it is sent, and its text. */
export function signedCall(operator, { type, sdp }, { callId, counter, to }, offered) {
  const fields = [callId, counter, operator.fingerprint, operator.callsign, to, sha256(sdp)]
  const text = [`ham-server/1 ${type}`, ...fields, ...(offered === undefined ? [] : [sha256(offered)])].join('\n')
  const signature = signed(operator.key, text)
  return { statement: { callId, counter, to, signature, keyid: operator.fingerprint }, text }
}

/** The text of somebody's offer or answer as it came, if they signed it with the certificate that came along. */
export function textOfCall({ offer, answer, statement, chain }, offered) {
  const certificate = new X509Certificate(chain[0])
  const callsign = certificate.subject.match(/^CN=(.*)$/m)[1]
  const { callId, counter, to, keyid, signature } = statement
  assert.equal(keyid, fingerprintOf(chain[0]))
  const fields = [callId, counter, keyid, callsign, to, sha256((offer ?? answer).sdp)]
  const text = [`ham-server/1 ${offer ? 'offer' : 'answer'}`, ...fields, ...(offered === undefined ? [] : [sha256(offered)])].join('\n')
  assert.ok(isSignedBy(certificate.publicKey, text, signature))
  return text
}

/** The first message in a call's channel: which offer and which answer we saw, by their texts. */
export function confirmation(operator, offerText, answerText) {
  const [offer, answer] = [sha256(offerText), sha256(answerText)]
  const text = ['ham-server/1 call-confirm', offer, answer].join('\n')
  return { type: 'call-confirm', offer, answer, signature: signed(operator.key, text) }
}

/** Whether the operator signed this confirmation. */
export function isConfirmedBy({ pem }, { offer, answer, signature }) {
  const text = ['ham-server/1 call-confirm', offer, answer].join('\n')
  return isSignedBy(new X509Certificate(pem).publicKey, text, signature)
}

/** The name of an operator's key. */
export function keyIdOf({ pem }) {
  return createHash('sha256').update(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })).digest('hex')
}

function statement(context, { clientNonce, nonce, serverProof, client }, url) {
  const server = fingerprintOf(serverProof.chain[0])
  return [`ham-server/1 ${context}`, clientNonce, nonce, server, client, url].join('\n')
}

function signed(key, text) {
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

function isSignedBy(key, text, signature) {
  return verify('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}
