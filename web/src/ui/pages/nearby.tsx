/** The other servers on this network, as they say of themselves. */
import { useEffect } from 'preact/hooks'
import { useModel } from '../context'
import { heardAgo } from '../format'
import { Call } from '../parts/call'
import { Panel } from '../parts/panel'
import './nearby.css'

export function Nearby() {
  const model = useModel()
  useEffect(() => model.watchNearby(), [model])
  const servers = model.nearby.value
  return (
    <Panel title="Servers on this network">
      {servers === null && <p class="quiet">Listening for other servers.</p>}
      {servers?.length === 0 && <p class="quiet">No other server is heard on this network.</p>}
      {servers !== null && servers.length > 0 && (
        <>
          <ul class="nearby">
            {servers.map(({ callsign, endpoint, age }) => (
              <li key={`${callsign} ${endpoint}`}>
                <Call label={callsign} />
                <a href={endpoint} target="_blank" rel="noopener noreferrer">
                  {endpoint}
                </a>
                <span class="nearby-age">{heardAgo(age)}</span>
              </li>
            ))}
          </ul>
          <p class="quiet">This is what they say of themselves: nobody has checked it yet.</p>
        </>
      )}
    </Panel>
  )
}
