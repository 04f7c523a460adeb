/** While there is no connection to the server: what happened, when the next attempt is, and a way to hurry it. */
import type { Refuge } from '../../model-reach'
import { useModel } from '../context'
import { secondsUntil } from '../format'
import { now, useTicking } from '../now'
import { Button } from '../parts/button'
import { LampIcon } from '../parts/state'
import { routeHash } from '../route'
import { serverName, sessionState } from '../words'
import './connection.css'

export function ConnectionBanner() {
  const model = useModel()
  const session = model.session.value
  useTicking(() => model.session.value.retryAt !== null)
  const refuge = model.reach.refuge.value
  if (session.phase === 'connected' && session.reason !== null) return <Demoted reason={session.reason} />
  if (session.phase === 'connected' && refuge !== null) return <Away refuge={refuge} at={serverName(model.server.value)} />
  if (session.phase !== 'waiting' && session.phase !== 'refused' && session.phase !== 'stopped') return null

  const state = sessionState(session, model.server.value, model.identity.value)
  return (
    <aside class={`connection connection-${session.phase}`} aria-label="Connection to the server">
      <div role="status">
        <p class="connection-words">
          <LampIcon lamp={state.lamp} />
          {state.words}
        </p>
        {session.reason !== null && <p>{session.reason}</p>}
      </div>
      <div class="connection-act">
        {session.retryAt !== null && <Countdown at={session.retryAt} />}
        {session.phase === 'waiting' && (
          <a class="connection-other" href={routeHash({ page: 'servers' })}>
            Find another server
          </a>
        )}
        <Button onClick={() => model.reconnect()}>{session.phase === 'waiting' ? 'Try now' : 'Try again'}</Button>
      </div>
    </aside>
  )
}

/** The server does not trust our key any more: we are a guest from now on, and may want to know why. */
function Demoted({ reason }: { reason: string }) {
  return (
    <aside class="connection" aria-label="Your role on this server">
      <div role="status">
        <p class="connection-news">You are a guest here now</p>
        <p>{reason}</p>
      </div>
      <div class="connection-act">
        <a class="button" href={routeHash({ page: 'certificates', section: 'mine' })}>
          My certificate
        </a>
      </div>
    </aside>
  )
}

/** The page's own server is gone, and another has taken us in. */
function Away({ refuge: { endpoint, home }, at }: { refuge: Refuge; at: string }) {
  const gone = serverName({ owner: home })
  return (
    <aside class="connection" aria-label="Connection to the server">
      <div role="status">
        <p class="connection-news">{home === null ? 'The server of this page does not answer' : `${gone} does not answer`}</p>
        <p>You are at {at} meanwhile. This page goes back by itself.</p>
      </div>
      <div class="connection-act">
        <a class="button" href={`${endpoint}/`}>
          Open the page of {at}
        </a>
      </div>
    </aside>
  )
}

/** Not announced: a screen reader would count along. */
function Countdown({ at }: { at: number }) {
  const seconds = secondsUntil(at, now.value)
  return <p class="connection-countdown">{seconds > 0 ? `Next attempt in ${seconds} s` : 'Trying'}</p>
}
