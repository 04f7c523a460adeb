import { describe, expect, it, vi } from 'vitest'
import type { Candidate, SessionDescription } from '../signaling/messages'
import { FakeConnection, Network } from '../testing'
import { type Negotiable, Negotiator } from './negotiator'

function end(network: Network, polite: boolean) {
  const connection = new FakeConnection(network)
  const sent: (SessionDescription | Candidate)[] = []
  const failed = vi.fn()
  const negotiator = new Negotiator(connection as unknown as Negotiable, polite, false, {
    description: (description) => sent.push(description),
    candidate: (candidate) => sent.push(candidate),
    failed,
  })
  return { connection, negotiator, sent, failed }
}

const descriptions = (sent: readonly object[]) => sent.filter((one): one is SessionDescription => 'sdp' in one)

describe('perfect negotiation', () => {
  it('when offers cross, the impolite one stands and the polite one is taken back', async () => {
    const network = new Network()
    const polite = end(network, true)
    const impolite = end(network, false)
    polite.connection.createDataChannel('ham')
    impolite.connection.createDataChannel('ham')
    await network.settle()
    const [theirs] = descriptions(polite.sent)
    const [ours] = descriptions(impolite.sent)
    if (!theirs || !ours) throw new Error('both offer')

    await impolite.negotiator.description(theirs)
    expect(impolite.connection.signalingState).toBe('have-local-offer')
    await polite.negotiator.description(ours)
    expect(polite.connection.signalingState).toBe('stable')
    const answer = descriptions(polite.sent)[1]
    expect(answer?.type).toBe('answer')
    if (answer) await impolite.negotiator.description(answer)
    expect(impolite.connection.signalingState).toBe('stable')
    expect([polite.failed.mock.calls, impolite.failed.mock.calls]).toEqual([[], []])
  })

  it('an answer that nobody waits for changes nothing', async () => {
    const { connection, negotiator, failed } = end(new Network(), true)
    await negotiator.description({ type: 'answer', sdp: 'a=fingerprint:sha-256 x' })
    expect(connection.signalingState).toBe('stable')
    expect(failed).not.toHaveBeenCalled()
  })

  it('descriptions of other kinds are not applied for a stranger', async () => {
    const { connection, negotiator } = end(new Network(), true)
    const apply = vi.spyOn(connection, 'setRemoteDescription')
    for (const type of ['rollback', 'pranswer', 'x']) await negotiator.description({ type, sdp: '' })
    expect(apply).not.toHaveBeenCalled()
  })

  it('the end of candidates is said once, with an empty candidate', async () => {
    const network = new Network()
    const { connection, sent } = end(network, true)
    connection.createDataChannel('ham')
    await network.settle()
    connection.onicecandidate?.({ candidate: { candidate: '' } })
    const candidates = sent.filter((one) => 'candidate' in one)
    expect(candidates).toMatchObject([{ candidate: expect.stringMatching(/^candidate:/) }, { candidate: '' }])
  })

  it('a bad description is reported, and the next one still works', async () => {
    const network = new Network()
    const { connection, negotiator, failed } = end(network, true)
    vi.spyOn(connection, 'setRemoteDescription').mockRejectedValueOnce(new Error('SDP'))
    await negotiator.description({ type: 'offer', sdp: 'a=fingerprint:sha-256 bad' })
    expect(failed).toHaveBeenCalledTimes(1)
    await negotiator.description({ type: 'offer', sdp: 'a=fingerprint:sha-256 good' })
    expect(connection.localDescription?.type).toBe('answer')
  })

  it('somebody who is called makes no offer of their own', async () => {
    const network = new Network()
    const connection = new FakeConnection(network)
    const sent: string[] = []
    const negotiator = new Negotiator(connection as unknown as Negotiable, false, true, {
      description: ({ type }) => sent.push(type),
      candidate: () => undefined,
      failed: () => undefined,
    })
    connection.createDataChannel('ham')
    await network.settle()
    expect(sent).toEqual([])
    await negotiator.description({ type: 'offer', sdp: 'a=fingerprint:sha-256 caller' })
    expect(sent).toEqual(['answer'])
  })
})
