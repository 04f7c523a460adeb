/** Chooses the page. What the server is comes first, then who we are to it, then where the person went. */
// The order of the layers comes before any component brings its own file.
import './layers.css'
import './tokens.css'
import './base.css'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model'
import { useModel } from './context'
import { type Route, route } from './route'
import { Become } from './pages/become/become'
import { Endorse, Endorsed } from './pages/become/endorse'
import { CertificatesPage } from './pages/certificates/certificates'
import { CertificateDetail } from './pages/certificates/detail'
import { Closed } from './pages/closed'
import { Claim } from './pages/claim'
import { DiagnosisPage } from './pages/reach/diagnosis'
import { Licence } from './pages/licence'
import { People } from './pages/people'
import { Servers } from './pages/servers/servers'
import { Starting } from './pages/starting'
import { Station } from './pages/station'
import { Trust } from './pages/trust'
import { Unclaimed } from './pages/unclaimed'
import { UnknownServer } from './pages/unknown-server'
import { Shell } from './shell/shell'
import { useTitle } from './shell/title'

type Screen = 'starting' | 'claim' | 'unclaimed' | 'closed' | 'unknown-server' | 'inside'

function screenOf(model: Model): Screen {
  const { state, local, secure } = model.server.value
  if (state === 'unknown') return 'starting'
  if (state === 'unclaimed') return local && secure ? 'claim' : 'unclaimed'
  if (state === 'claimed' && !local) return 'closed'
  return model.session.value.phase === 'unknown-server' ? 'unknown-server' : 'inside'
}

export function App() {
  const model = useModel()
  const screen = screenOf(model)
  const to = route.value
  useTitle(model)
  useFocusOnChange(screen === 'inside' ? placeOf(to) : screen)

  switch (screen) {
    case 'starting':
      return <Starting />
    case 'claim':
      return <Claim />
    case 'unclaimed':
      return <Unclaimed />
    case 'closed':
      return <Closed />
    case 'unknown-server':
      return <UnknownServer />
    case 'inside':
      return (
        <Shell route={to}>
          <Inside route={to} />
        </Shell>
      )
  }
}

function Inside({ route: to }: { route: Route }) {
  switch (to.page) {
    case 'certificates':
      return <CertificatesPage key={to.section} section={to.section} />
    case 'certificate':
      return <CertificateDetail key={to.fingerprint} fingerprint={to.fingerprint} />
    case 'become':
      return <Become text={to.text} />
    case 'endorse':
      return <Endorse key={to.text} text={to.text} />
    case 'endorsed':
      return <Endorsed key={to.text} text={to.text} />
    case 'servers':
      return <Servers />
    case 'station':
      return <Station />
    case 'licence':
      return <Licence />
    case 'diagnosis':
      return <DiagnosisPage after={to.after} />
    case 'trust':
      return <Trust />
    default:
      return <People peerId={to.page === 'conversation' ? to.peerId : null} />
  }
}

function placeOf(to: Route): string {
  switch (to.page) {
    case 'conversation':
      return `conversation ${to.peerId}`
    case 'certificates':
      return `certificates ${to.section}`
    case 'certificate':
      return `certificate ${to.fingerprint}`
    default:
      return to.page
  }
}

/** Moves the focus to the new page's heading, so that keyboards and screen readers follow. */
function useFocusOnChange(place: string): void {
  const last = useRef(place)
  useEffect(() => {
    if (last.current === place) return
    last.current = place
    const heading = document.querySelector('h1')
    heading?.focus({ preventScroll: true })
    if (!place.startsWith('conversation')) window.scrollTo(0, 0)
  }, [place])
}
