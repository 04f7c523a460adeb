/** How two browsers reach each other, read from the connection's statistics. */

/** `direct, 192.168.1.23`; null while no pair of candidates is in use. */
export async function pathOf(connection: Pick<RTCPeerConnection, 'getStats'>): Promise<string | null> {
  const report = await connection.getStats()
  const stats = new Map<string, Stat>()
  report.forEach((stat: Stat & { id: string }) => {
    stats.set(stat.id, stat)
  })
  const pair = selectedPair([...stats.values()], stats)
  const remote = pair?.remoteCandidateId === undefined ? undefined : stats.get(pair.remoteCandidateId)
  if (!remote) return null
  const local = pair?.localCandidateId === undefined ? undefined : stats.get(pair.localCandidateId)
  const how = remote.candidateType === 'relay' || local?.candidateType === 'relay' ? 'through a relay' : 'direct'
  // Browsers hide some addresses, and show names made up for one call: neither says anything to a person.
  const address = remote.address ?? remote.ip ?? ''
  return /^[0-9a-f.:]+$/i.test(address) ? `${how}, ${address}` : how
}

interface Stat {
  readonly type: string
  readonly selectedCandidatePairId?: string
  readonly selected?: boolean
  readonly nominated?: boolean
  readonly state?: string
  readonly localCandidateId?: string
  readonly remoteCandidateId?: string
  readonly candidateType?: string
  readonly address?: string | null
  readonly ip?: string
}

/** Firefox marks the pair itself, the others name it in the transport. */
function selectedPair(all: readonly Stat[], stats: ReadonlyMap<string, Stat>): Stat | undefined {
  const named = all.find((stat) => stat.type === 'transport')?.selectedCandidatePairId
  return (
    (named === undefined ? undefined : stats.get(named)) ??
    all.find((stat) => stat.type === 'candidate-pair' && (stat.selected || (stat.nominated && stat.state === 'succeeded')))
  )
}
