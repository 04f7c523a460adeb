import { describe, expect, it } from 'vitest'
import { dtlsKeys } from './sdp'

const sdp = (...lines: string[]) => ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', ...lines, 'a=setup:actpass', ''].join('\r\n')
const key = 'a=fingerprint:sha-256 AB:CD'

describe('the DTLS certificate of a description', () => {
  it('is one, however often and in whatever letters it is written', () => {
    expect(dtlsKeys(sdp(key))).toEqual(['sha-256 ab:cd'])
    expect(dtlsKeys(sdp(key, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=fingerprint:SHA-256  ab:cd '))).toEqual(['sha-256 ab:cd'])
  })

  it('is not found where there is none', () => {
    expect(dtlsKeys(sdp('a=candidate:1 1 udp 1 a=fingerprint 1 typ host'))).toEqual([])
    expect(dtlsKeys('')).toEqual([])
  })

  it.each([
    ['another line', 'a=fingerprint:sha-256 EF:01'],
    ['another hash', 'a=fingerprint:sha-1 AB:CD'],
    ['nothing', 'a=fingerprint:'],
    ['blanks a parser may forgive', ' a = fingerprint : sha-256 EF:01'],
    ['capitals a parser may forgive', 'A=FINGERPRINT:sha-256 EF:01'],
  ])('is not one with %s beside it', (_what, line) => {
    expect(dtlsKeys(sdp(key, line))).toHaveLength(2)
    expect(dtlsKeys(sdp(line, key))).toHaveLength(2)
  })

  it('hides behind no kind of line end', () => {
    for (const end of ['\n', '\r', '\r\n', '\n\r']) expect(dtlsKeys(`v=0${end}${key}${end}a=fingerprint:sha-256 EF:01`)).toHaveLength(2)
  })
})
