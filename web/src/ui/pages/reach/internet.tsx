/** Whether there is internet beyond this network, which nothing here needs. */
import { useEffect } from 'preact/hooks'
import { useModel } from '../../context'
import { Panel } from '../../parts/panel'
import { StateLine } from '../../parts/state'
import { routeHash } from '../../route'

export function Ways() {
  const model = useModel()
  useEffect(() => model.reach.watchInternet(), [model])
  const internet = model.reach.internet.value
  const { radio } = model.server.value
  return (
    <Panel title="Ways">
      {internet === null ? (
        <p class="quiet">Asking the server whether it sees internet.</p>
      ) : (
        <StateLine
          state={internet.online ? { lamp: 'on', words: 'There is a way out to the internet' } : { lamp: 'off', words: 'No internet' }}
          since={internet.since}
        />
      )}
      <p class="quiet">Nothing here needs it: everything goes on without.</p>
      {radio !== null && <p>You reach this server across amateur frequencies: {radio}. Nothing is encrypted on the way, and there are no calls.</p>}
      <p>
        <a href={routeHash({ page: 'diagnosis', after: null })}>What is in the way when calls fail</a>
      </p>
    </Panel>
  )
}
