import { useModel } from '../context'
import { Button } from '../parts/button'
import { Call, Display } from '../parts/call'
import { Page } from '../shell/page'
import { serverName } from '../words'

/** Claimed, but its owner did not open it to the network. */
export function Closed() {
  const model = useModel()
  const server = model.server.value
  return (
    <Page title={`${serverName(server)} is not open to this network`}>
      <Display>
        <Call label={server.owner ?? ''} />
        {[server.ownerName, server.ownerGrid].filter(Boolean).join(', ')}
      </Display>
      <p class="lead">Its owner uses it on its own machine only, for now.</p>
      <p>If you know {server.owner}, ask them to let people on this network join. Then look again.</p>
      <div class="buttons">
        <Button onClick={() => model.reconnect()}>Look again</Button>
      </div>
    </Page>
  )
}
