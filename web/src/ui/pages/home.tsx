/** What stands beside the list while no conversation is open: the owner shares, a visitor learns where they are. */
import { useModel } from '../context'
import { Panel } from '../parts/panel'
import { routeHash } from '../route'
import { RadioWay } from './reach/radio-way'
import { isShareable, serverName } from '../words'
import { Backup } from './backup'
import { ShareCode } from './share'
import './home.css'

export function Home() {
  const model = useModel()
  const guest = model.identity.value === null
  return (
    <div class="home">
      <Backup />
      <RadioWay />
      {guest ? <Welcome /> : <Reach />}
    </div>
  )
}

function Reach() {
  const server = useModel().server.value
  return (
    <Panel title="Let people in">
      <ShareCode />
      {isShareable(server) && (
        <p>
          <a href={routeHash({ page: 'station' })}>A poster to print is under Station</a>
        </p>
      )}
    </Panel>
  )
}

function Welcome() {
  const server = useModel().server.value
  const place = [server.ownerName, server.ownerGrid].filter(Boolean).join(', ')
  return (
    <>
      <Panel title="Where you are">
        <p>
          This is {serverName(server)}
          {place !== '' && ` (${place})`}. {server.owner} is a licensed radio amateur and keeps it for everyone on this network. It
          needs no internet.
        </p>
      </Panel>
      <Panel title="What you can do">
        <ul class="can">
          <li>See who is here.</li>
          <li>Answer when an operator calls you: write, and pass files. They go straight between your two devices.</li>
        </ul>
        <p>
          Starting calls is for licensed operators. <a href={routeHash({ page: 'licence' })}>How to become one</a>
        </p>
        {server.secure && (
          <p>
            Licensed already? <a href={routeHash({ page: 'become', text: null })}>Get your certificate</a>
          </p>
        )}
      </Panel>
      {!server.secure && server.secureAddress !== null && (
        <Panel title="Are you an operator?">
          <p>
            You get your certificate, and log in with its key, on this server’s secure address. <a href={routeHash({ page: 'trust' })}>The way to the secure address</a>
          </p>
        </Panel>
      )}
    </>
  )
}
