import { describe, expect, it } from 'vitest'
import { gather, hostOf } from './gathering'

const hidden = 'candidate:1 1 udp 2113937151 0F4E2B3A-9a7c-4b1d-8e2f-0123456789ab.local 50000 typ host generation 0'

/** A connection that finds these candidates and is done. */
function finding(...candidates: string[]) {
  const connection = {
    onicecandidate: null as RTCPeerConnection['onicecandidate'],
    onicegatheringstatechange: null as RTCPeerConnection['onicegatheringstatechange'],
    iceGatheringState: 'new' as RTCIceGatheringState,
    closed: false,
    createDataChannel: () => ({}) as RTCDataChannel,
    createOffer: async () => ({ type: 'offer', sdp: 'v=0' }),
    async setLocalDescription() {
      for (const candidate of candidates) connection.onicecandidate?.call(peer, { candidate: { candidate } } as RTCPeerConnectionIceEvent)
      connection.iceGatheringState = 'complete'
      connection.onicegatheringstatechange?.call(peer, new Event('icegatheringstatechange'))
    },
    close() {
      connection.closed = true
    },
  }
  const peer = connection as unknown as RTCPeerConnection
  return { connection, peer }
}

describe('ways onto the network', () => {
  it('are counted, with the name or the address the browser tells', async () => {
    const { connection, peer } = finding(hidden, 'candidate:2 1 tcp 1 192.168.1.9 9 typ host tcptype active', 'candidate:3 1 udp 1 203.0.113.7 9 typ srflx')
    const gathered = await gather(() => peer)
    expect(gathered).toMatchObject({ ways: 2, name: '0f4e2b3a-9a7c-4b1d-8e2f-0123456789ab.local', address: '192.168.1.9' })
    expect(connection.closed).toBe(false)
    gathered.done()
    expect(connection.closed).toBe(true)
  })

  it('may be none', async () => {
    expect(await gather(() => finding().peer)).toMatchObject({ ways: 0, name: null, address: null })
    expect(await gather(() => null)).toMatchObject({ ways: null })
  })

  it('are read from host candidates only', () => {
    expect(hostOf(hidden)).toBe('0f4e2b3a-9a7c-4b1d-8e2f-0123456789ab.local')
    expect(hostOf('')).toBeNull()
    expect(hostOf('candidate:3 1 udp 1 203.0.113.7 9 typ relay')).toBeNull()
  })
})
