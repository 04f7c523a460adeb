/** The certificate is our own word: it can be taken back. */
import { useSignal } from '@preact/signals'
import type { CertificateView, Effect } from '../../../model-certificates'
import { useAct } from '../../asked'
import { useModel } from '../../context'
import { Button } from '../../parts/button'
import { Confirm } from '../../parts/confirm'
import { EffectView } from '../../parts/effect'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'

export function TakeBack({ certificate, done }: { certificate: CertificateView; done: () => void }) {
  const model = useModel()
  const asking = useSignal(false)
  const changed = useSignal<Effect | null>(null)
  const { busy, problem, run } = useAct()
  const { callsign } = certificate

  const takeBack = () =>
    void run(async () => {
      changed.value = await model.certificates.takeBack(certificate.fingerprint)
    }).then((worked) => {
      if (worked) done()
    })

  return (
    <Panel title="Your word">
      <p>You vouch for {callsign} with your key.</p>
      {changed.value !== null && <EffectView effect={changed.value} would={false} />}
      {!asking.value ? (
        <div class="buttons">
          <Button
            kind="danger"
            onClick={() => {
              asking.value = true
            }}
          >
            Take back my word
          </Button>
        </div>
      ) : (
        <Notice kind="danger">
          <p>Take back your word for {callsign}?</p>
          <p>This certificate then counts for nothing, here and wherever the news arrives. That cannot be undone; you can vouch for {callsign} again.</p>
          {problem !== null && <p role="alert">{problem}</p>}
          <Confirm
            callsign={callsign}
            words="Take it back"
            working="Taking it back"
            cancel="Leave it"
            busy={busy}
            onConfirm={takeBack}
            onCancel={() => {
              asking.value = false
            }}
          />
        </Notice>
      )}
    </Panel>
  )
}
