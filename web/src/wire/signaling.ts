/**
 * Messages between browser and server on `/signal`, as docs/protocol/signaling.md describes them.
 */

export type ClientMessage =
  | Register
  | Authenticate
  | Offer
  | Answer
  | Candidate
  | ListPeers
  | Join
  | Ping

export type ServerMessage =
  | Registered
  | Challenge
  | PeerJoined
  | PeerLeft
  | PeerList
  | OfferReceived
  | AnswerReceived
  | CandidateReceived
  | Pong
  | ServerError
  | Goodbye

export interface Peer {
  id: string
  callsign: string
  hasLicense: boolean
  verified: boolean
  keyId?: string
  licenseClass?: string
  net: string
}

export interface SessionDescription {
  type: string
  sdp: string
}

export interface IceCandidate {
  candidate: string
  sdpMid?: string | null
  sdpMLineIndex?: number | null
  usernameFragment?: string | null
}

interface FromClient {
  id?: string
}

interface FromServer {
  seq: number
  replyTo?: string
}

interface Register extends FromClient {
  type: 'REGISTER'
  callsign: string
  certificate?: string
  chain?: string[]
  nonce?: string
  url?: string
  net?: string
}

interface Authenticate extends FromClient {
  type: 'AUTHENTICATE'
  signature: string
}

interface Offer extends FromClient {
  type: 'OFFER'
  target: string
  offer: SessionDescription
  statement?: unknown
}

interface Answer extends FromClient {
  type: 'ANSWER'
  target: string
  answer: SessionDescription
  statement?: unknown
}

interface Candidate extends FromClient {
  type: 'ICE_CANDIDATE'
  target: string
  candidate: IceCandidate
}

interface ListPeers extends FromClient {
  type: 'LIST_PEERS'
  cursor?: string
}

interface Join extends FromClient {
  type: 'JOIN'
  net: string
}

interface Ping extends FromClient {
  type: 'PING'
}

interface Registered extends FromServer {
  type: 'REGISTERED'
  clientId: string
  serverOwner: string | null
  role: 'licensed' | 'unlicensed'
  net: string
  peers: Peer[]
  next?: string
}

interface Challenge extends FromServer {
  type: 'CHALLENGE'
  nonce: string
  serverProof: { chain: string[]; signature: string }
}

interface PeerJoined extends FromServer {
  type: 'PEER_JOINED'
  peer: Peer
}

interface PeerLeft extends FromServer {
  type: 'PEER_LEFT'
  peerId: string
}

interface PeerList extends FromServer {
  type: 'PEER_LIST'
  peers: Peer[]
  next?: string
}

interface OfferReceived extends FromServer {
  type: 'OFFER_RECEIVED'
  from: string
  fromCallsign: string
  verified: boolean
  offer: SessionDescription
  statement?: unknown
  polite: boolean
}

interface AnswerReceived extends FromServer {
  type: 'ANSWER_RECEIVED'
  from: string
  fromCallsign: string
  verified: boolean
  answer: SessionDescription
  statement?: unknown
}

interface CandidateReceived extends FromServer {
  type: 'ICE_CANDIDATE_RECEIVED'
  from: string
  candidate: IceCandidate
}

interface Pong extends FromServer {
  type: 'PONG'
}

interface ServerError extends FromServer {
  type: 'ERROR'
  error: string
  code: string
  details?: unknown
}

interface Goodbye extends FromServer {
  type: 'GOODBYE'
  reason: string
  retryAfter: number
}
