import { useModel } from '../context'
import { Page } from '../shell/page'
import { ByCode } from './servers/by-code'
import { Found } from './servers/servers'

/** Before the server's first answer. */
export function Starting() {
  const waiting = useModel().session.value.phase === 'waiting'
  return (
    <Page title="ham-server">
      <p class="lead" role="status">
        {waiting ? 'The server has not answered yet. This page goes on by itself as soon as it does.' : 'Asking the server who it is.'}
      </p>
      {waiting && (
        <>
          <ByCode />
          <Found />
        </>
      )}
    </Page>
  )
}
