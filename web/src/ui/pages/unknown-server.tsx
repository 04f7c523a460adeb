import { useSignal } from '@preact/signals'
import { useModel } from '../context'
import { Button } from '../parts/button'
import { Call, Display } from '../parts/call'
import { Fingerprint } from '../parts/fingerprint'
import { Notice } from '../parts/notice'
import { Panel } from '../parts/panel'
import { Page } from '../shell/page'
import { sentence } from '../words'

/** We hold a key and have never met this server: nothing is signed for it before a person compared. */
export function UnknownServer() {
  const model = useModel()
  const busy = useSignal(false)
  const problem = useSignal<string | null>(null)
  const unknown = model.session.value.unknownServer
  if (unknown === null) return null

  const trust = async () => {
    busy.value = true
    problem.value = null
    try {
      await model.trustServer()
    } catch (failure) {
      problem.value = sentence(failure, 'The server did not answer. Try again.')
    } finally {
      busy.value = false
    }
  }

  return (
    <Page title="Is this the server you mean?">
      <Display>
        It says it belongs to
        <Call label={unknown.owner} />
      </Display>
      <p class="lead">This browser has not met it before. Compare its fingerprint before you log in to it with your key.</p>
      <Panel title="Its fingerprint">
        <Fingerprint hex={unknown.fingerprint} />
        <p>
          The same groups stand on the owner’s own screen, under Station, About. Have {unknown.owner} read them to you.
        </p>
      </Panel>
      {problem.value !== null && (
        <Notice kind="danger" role="alert">
          <p>{problem}</p>
        </Notice>
      )}
      <div class="buttons">
        <Button kind="main" disabled={busy.value} onClick={() => void trust()}>
          {busy.value ? 'Logging in' : 'They match: trust this server'}
        </Button>
      </div>
      <p class="quiet">If they differ, somebody may stand between you and the server. Close this page and tell {unknown.owner}.</p>
    </Page>
  )
}
