/** An operator's own word for somebody: made here, with the key in this browser. */
import { useSignal } from '@preact/signals'
import type { CertificateView, Checked } from '../../../model-certificates'
import { useAct } from '../../asked'
import { useModel } from '../../context'
import { Button } from '../../parts/button'
import { Field } from '../../parts/field'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { HowChecked } from './how-checked'

export function Vouch({ certificate, done }: { certificate: CertificateView; done: () => void }) {
  const model = useModel()
  const asking = useSignal(false)
  const method = useSignal<Checked['method']>('in-person')
  const { busy, problem, run } = useAct()
  const { callsign, licenceClass } = certificate

  const vouch = (licence: string) =>
    void run(() => model.certificates.vouch(certificate.fingerprint, { method: method.value, licenceClass: licence })).then((worked) => {
      if (worked) done()
    })

  return (
    <Panel title="Do you know this person?">
      {!asking.value ? (
        <>
          <p>If you have checked the licence of {callsign}, you can say so with your key. Whoever trusts you then trusts {callsign} too.</p>
          <div class="buttons">
            <Button
              onClick={() => {
                asking.value = true
              }}
            >
              I checked their licence
            </Button>
          </div>
        </>
      ) : (
        <form
          class="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            if (!busy) vouch(String(new FormData(event.currentTarget).get('licenceClass') ?? ''))
          }}
        >
          <p>
            Compare the fingerprint below with {callsign} first. Your word names your callsign, is signed with your key, and stays with the certificate.
          </p>
          <HowChecked method={method} callsign={callsign} />
          <Field label="Licence class" hint="As the licence says. May stay empty.">
            {(input) => <input {...input} name="licenceClass" maxLength={32} autocomplete="off" defaultValue={licenceClass ?? ''} />}
          </Field>
          {problem !== null && (
            <Notice kind="danger" role="alert">
              <p>{problem}</p>
            </Notice>
          )}
          <div class="buttons">
            <Button kind="main" type="submit" disabled={busy}>
              {busy ? 'Signing' : `Vouch for ${callsign}`}
            </Button>
            <Button
              onClick={() => {
                asking.value = false
              }}
            >
              Not now
            </Button>
          </div>
        </form>
      )}
    </Panel>
  )
}
