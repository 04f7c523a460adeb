/** The frame: whose server this is and our state with it, the tabs, and the page. */
import type { ComponentChildren } from 'preact'
import { useModel } from '../context'
import { count } from '../format'
import { Call, Display } from '../parts/call'
import { Icon, type IconName } from '../parts/icons'
import { StateLine } from '../parts/state'
import { type Route, routeHash } from '../route'
import { sessionState } from '../words'
import { ConnectionBanner } from './connection'
import { unreadCount } from './title'
import './shell.css'

export function Shell({ route, children }: { route: Route; children: ComponentChildren }) {
  const model = useModel()
  const session = model.session.value
  return (
    // A conversation fills a phone's whole screen: its own header then stands for this one.
    <div class={route.page === 'conversation' ? 'shell shell-conversation' : 'shell'}>
      <header class="shell-header">
        <ServerPlate />
        <StateLine state={sessionState(session, model.server.value, model.identity.value)} since={session.since} />
      </header>
      <nav class="tabs" aria-label="Pages">
        <Tab to={{ page: 'people' }} icon="people" words="People" route={route} unread={unreadCount(model)} />
        <Tab to={{ page: 'station' }} icon="station" words="Station" route={route} unread={0} />
      </nav>
      <div class="shell-body">
        <ConnectionBanner />
        <main>{children}</main>
      </div>
    </div>
  )
}

function ServerPlate() {
  const { owner, ownerName, ownerGrid } = useModel().server.value
  return (
    <Display>
      <p class="plate-label">Server of</p>
      <Call label={owner ?? ''} />
      <p class="plate-label">{[ownerName, ownerGrid].filter(Boolean).join(', ')}</p>
    </Display>
  )
}

interface TabProps {
  readonly to: Route
  readonly icon: IconName
  readonly words: string
  readonly route: Route
  readonly unread: number
}

function Tab({ to, icon, words, route, unread }: TabProps) {
  const here = route.page === to.page
  const within = here || (to.page === 'people' && route.page === 'conversation')
  return (
    <a
      class={within ? 'tab tab-open' : 'tab'}
      href={routeHash(to)}
      {...(within ? { 'aria-current': here ? ('page' as const) : ('true' as const) } : {})}
    >
      <Icon name={icon} />
      <span>{words}</span>
      {unread > 0 && (
        <span class="tab-unread">
          {unread}
          <span class="visually-hidden"> {count(unread, 'unread message').replace(/^\d+ /, '')}</span>
        </span>
      )}
    </a>
  )
}
