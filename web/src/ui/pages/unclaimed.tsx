import { useModel } from '../context'
import { Copyable } from '../parts/copyable'
import { Panel } from '../parts/panel'
import { Page } from '../shell/page'

/** An unclaimed server seen from anywhere but a secure page on its own machine. */
export function Unclaimed() {
  const { addresses, local } = useModel().server.value
  const port = location.port || '80'
  const address = addresses[0] ?? location.origin
  return (
    <Page title="This server has no owner yet">
      <p class="lead">
        If you are licensed and it is yours, claim it. Then everyone on this network can meet here, talk and pass files without
        the internet.
      </p>
      <Panel title="On the machine itself">
        <p>{local ? 'You are on that machine. Open this address instead:' : 'Open this address in a browser there:'}</p>
        <Copyable text={`http://localhost:${port}`} what="the address" />
      </Panel>
      <Panel title="From another device">
        <p>
          Run this command where ham-server is installed, with your own callsign. It asks for the claim code, which the server
          printed on its console when it started.
        </p>
        <Copyable text={`ham-server claim --url ${address} --callsign YOURCALL --new`} what="the command" />
      </Panel>
      <p class="quiet">Not yours? Nothing to do: this page goes on by itself once the server has an owner.</p>
    </Page>
  )
}
