/** Which ways onto the network this browser finds for a call, without calling anybody. */

export interface Gathered {
  /** How many ways; null where the browser has no WebRTC. */
  readonly ways: number | null
  /** The name under which the browser hides its address: a UUID in `.local`. It answers to it until `done`. */
  readonly name: string | null
  /** Its address, where it does not hide it. */
  readonly address: string | null
  readonly done: () => void
}

export type NewConnection = () => Pick<
  RTCPeerConnection,
  'createDataChannel' | 'createOffer' | 'setLocalDescription' | 'close' | 'onicecandidate' | 'onicegatheringstatechange' | 'iceGatheringState'
> | null

const GATHER_WITHIN = 2_000

export async function gather(newConnection: NewConnection): Promise<Gathered> {
  const connection = newConnection()
  if (connection === null) return { ways: null, name: null, address: null, done: () => undefined }
  const hosts: string[] = []
  connection.onicecandidate = ({ candidate }) => {
    const host = hostOf(candidate?.candidate ?? '')
    if (host !== null) hosts.push(host)
  }
  const complete = new Promise<void>((resolve) => {
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === 'complete') resolve()
    }
    setTimeout(resolve, GATHER_WITHIN)
  })
  connection.createDataChannel('ways')
  await connection.setLocalDescription(await connection.createOffer())
  await complete
  return {
    ways: hosts.length,
    name: hosts.find((host) => host.endsWith('.local')) ?? null,
    address: hosts.find((host) => !host.endsWith('.local') && !host.includes(':')) ?? hosts.find((host) => host.includes(':')) ?? null,
    done: () => connection.close(),
  }
}

/** The address in a candidate of the device itself (RFC 8839, 5.1): `candidate:1 1 udp 2113937151 192.168.1.9 50000 typ host`. */
export function hostOf(candidate: string): string | null {
  const fields = candidate.replace(/^candidate:/, '').split(' ')
  return fields[6] === 'typ' && fields[7] === 'host' && fields[4] ? fields[4].toLowerCase() : null
}
