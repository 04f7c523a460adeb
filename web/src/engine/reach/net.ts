/** The net that the server is in: what it says of the others, in the words of the model. */
import type { NetServer, NetView } from '../../model-reach'
import type { Peer, PeerWarnings } from '../../wire/http'

export function netView(peers: readonly Peer[], warnings: PeerWarnings): NetView {
  const callsigns = new Map(peers.flatMap(({ id, callsign }) => (callsign === null ? [] : [[id, callsign]])))
  return {
    servers: peers.map((peer) => netServer(peer, callsigns)),
    copyRuns: warnings.copy !== null,
    splits: warnings.splitLogs.map(({ keyId, callsign, checkpoints: [one, other] }) => ({
      keyId,
      callsign,
      entries: one.size,
      heads: [one.head, other.head],
    })),
  }
}

function netServer(peer: Peer, callsigns: ReadonlyMap<string, string>): NetServer {
  const { id, callsign, endpoint, state, plain, link, way, neighbours, reason, root, discoveryMethod } = peer
  return {
    id,
    callsign,
    endpoint,
    state,
    plain,
    radio: link === 'part97',
    through: way.slice(0, -1).map((between) => callsigns.get(between) ?? null),
    links: neighbours.flatMap((neighbour) => callsigns.get(neighbour) ?? []).sort(),
    reason,
    root,
    named: discoveryMethod === 'manual',
  }
}
