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
        <Tab to={{ page: 'people' }} icon="people" words="People" route={route} mark={{ number: unreadCount(model), of: 'unread message' }} />
        <Tab to={{ page: 'servers' }} icon="servers" words="Servers" route={route} />
        <Tab
          to={{ page: 'certificates', section: 'mine' }}
          icon="certificates"
          words="Certificates"
          route={route}
          mark={{ number: model.certificates.waiting.value, of: 'decision to make', many: 'decisions to make' }}
        />
        <Tab to={{ page: 'station' }} icon="station" words="Station" route={route} />
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
  /** What waits there, counted. */
  readonly mark?: { readonly number: number; readonly of: string; readonly many?: string }
}

/** Pages that are reached through another's tab. */
const within: Readonly<Partial<Record<Route['page'], Route['page']>>> = { conversation: 'people', certificate: 'certificates', become: 'certificates', endorse: 'certificates', endorsed: 'certificates', diagnosis: 'station' }

function Tab({ to, icon, words, route, mark }: TabProps) {
  const here = route.page === to.page
  const open = here || within[route.page] === to.page
  return (
    <a
      class={open ? 'tab tab-open' : 'tab'}
      href={routeHash(to)}
      {...(open ? { 'aria-current': here ? ('page' as const) : ('true' as const) } : {})}
    >
      <Icon name={icon} />
      <span>{words}</span>
      {mark !== undefined && mark.number > 0 && (
        <span class="tab-unread">
          {mark.number}
          <span class="visually-hidden"> {count(mark.number, mark.of, mark.many).replace(/^\d+ /, '')}</span>
        </span>
      )}
    </a>
  )
}
