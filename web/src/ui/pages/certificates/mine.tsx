/** Our own certificate: what it counts for here, who vouched and how, and what can become of its key. */
import { useSignal } from '@preact/signals'
import type { IdentityView } from '../../../model'
import type { Mine as MineView } from '../../../model-certificates'
import { useAct, useAsked } from '../../asked'
import { statusState, whoVouches } from '../../certificate-words'
import { useModel } from '../../context'
import { download } from '../../download'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call, Display } from '../../parts/call'
import { Confirm } from '../../parts/confirm'
import { Fingerprint } from '../../parts/fingerprint'
import { Icon } from '../../parts/icons'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { PathView } from '../../parts/path'
import { StateLine } from '../../parts/state'
import { routeHash } from '../../route'
import { Backup } from '../backup'
import { RequestState } from '../become/request-state'

export function Mine() {
  const identity = useModel().identity.value
  return identity === null ? <Guest /> : <Operator key={identity.fingerprint} identity={identity} />
}

function Guest() {
  const { certificates, server } = useModel()
  const { secure, secureAddress } = server.value
  if (certificates.request.value !== null) return <RequestState />
  return (
    <>
      <p class="lead">You have no certificate: you are here as a guest.</p>
      <p>
        A certificate tells others who you are. Somebody who has seen your licence vouches for the key in your browser, and from then on nobody can pretend to be you here.
      </p>
      {secure ? (
        <div class="buttons">
          <a class="button button-main" href={routeHash({ page: 'become', text: null })}>
            Get your certificate
          </a>
        </div>
      ) : (
        <>
          <p>Browsers keep keys safe only on pages whose address starts with https or with localhost, and this one does not.</p>
          {secureAddress !== null && (
            <div class="buttons">
              <a class="button button-main" href={routeHash({ page: 'trust' })}>
                The way to the secure address
              </a>
            </div>
          )}
        </>
      )}
      <p class="quiet">
        Not licensed yet? <a href={routeHash({ page: 'licence' })}>How to become an operator</a>
      </p>
    </>
  )
}

function Operator({ identity }: { identity: IdentityView }) {
  const model = useModel()
  const asked = useAsked(() => model.certificates.mine(), [identity.fingerprint, model.session.value.role])
  return (
    <>
      <Backup />
      <Display>
        <Call label={identity.callsign} />
        {identity.licenceClass ?? 'Licence class not stated'}
      </Display>
      <Answer asked={asked} what="what it knows of your certificate">
        {(mine) => <Standing mine={mine} identity={identity} again={asked.again} />}
      </Answer>
      <Panel title="The certificate">
        <dl class="facts">
          <div>
            <dt>Fingerprint: read the groups to whoever wants to be sure that it is yours</dt>
            <dd>
              <Fingerprint hex={identity.fingerprint} />
            </dd>
          </div>
          <div>
            <dt>Copy of its key</dt>
            <dd>
              {identity.backedUp ? 'A .p12 file was saved.' : 'None that this browser knows of.'} <a href={routeHash({ page: 'station' })}>More under Station</a>
            </dd>
          </div>
        </dl>
        {asked.value !== null && <SavePem pem={asked.value.pem} callsign={identity.callsign} />}
      </Panel>
      <ChangeKey identity={identity} held={asked.value?.held?.status === 'trusted'} />
      <Withdraw identity={identity} />
    </>
  )
}

function SavePem({ pem, callsign }: { pem: string; callsign: string }) {
  return (
    <div class="buttons">
      <Button onClick={() => download(new Blob([pem], { type: 'application/x-pem-file' }), `${callsign.replaceAll('/', '-')}.pem`)}>
        <Icon name="save" />
        Save the certificate
      </Button>
    </div>
  )
}

function Standing({ mine, identity, again }: { mine: MineView; identity: IdentityView; again: () => void }) {
  const model = useModel()
  const act = useAct()
  const { held, explanation, others } = mine
  const [path] = explanation?.paths ?? []
  const owner = model.server.value.owner ?? 'the owner'
  const [other] = others
  return (
    <>
      <div class="certificate-state">
        <StateLine state={held === null ? { lamp: 'off', words: 'Not known on this server' } : statusState(held.status)} />
        <p>{explanation?.sentence ?? `${identity.callsign} has not been shown to this server yet.`}</p>
      </div>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      {path !== undefined && held !== null && (
        <Panel title="Who vouches for you">
          <PathView way={path} here={held.fingerprint} />
          <p>
            <a href={routeHash({ page: 'certificate', fingerprint: held.fingerprint })}>How others see your certificate</a>
          </p>
        </Panel>
      )}
      {other !== undefined && held?.status !== 'trusted' && (
        <Notice kind="warn">
          <p>Somebody vouched for you</p>
          <p>{whoVouches(other)}, for the key that you have here. With that certificate you are an operator on this server.</p>
          <div class="buttons">
            <Button kind="main" disabled={act.busy} onClick={() => void act.run(() => model.certificates.adopt(other.fingerprint))}>
              Use that certificate
            </Button>
          </div>
        </Notice>
      )}
      {held === null && other === undefined && (
        <Notice>
          <p>Let others vouch for you</p>
          <p>Show your certificate to this server. {owner}, and every operator here who knows you, can then vouch for you under Certificates, People.</p>
          <div class="buttons">
            <Button
              disabled={act.busy}
              onClick={() =>
                void act.run(async () => {
                  await model.certificates.show()
                  again()
                })
              }
            >
              {act.busy ? 'Showing it' : 'Show my certificate'}
            </Button>
          </div>
        </Notice>
      )}
      {held?.status === 'untrusted' && other === undefined && (
        <Notice>
          <p>Nobody trusted here vouches for you yet</p>
          <p>
            Ask {owner}, or an operator here who knows you, to vouch for you: under Certificates, People, {identity.callsign}. Read your fingerprint to them.
          </p>
          <div class="buttons">
            <Button onClick={again}>Look again</Button>
          </div>
        </Notice>
      )}
    </>
  )
}

function ChangeKey({ identity, held }: { identity: IdentityView; held: boolean }) {
  const model = useModel()
  const asking = useSignal(false)
  const act = useAct()
  const { isOwner } = model.session.value
  if (!held) return null
  return (
    <Panel title="Change the key">
      {isOwner ? (
        <p class="quiet">The owner’s key is the root of this server. To change it, run ham-server reset on the server’s machine and claim it again with a new key.</p>
      ) : asking.value ? (
        <Notice kind="warn">
          <p>Make a new key for {identity.callsign}?</p>
          <p>
            Your old key signs the new one, so that everybody knows it is you. Keep the old key’s .p12 file: the new certificate stands on the old one until somebody vouches for the new key.
            Afterwards save a copy of the new key.
          </p>
          {act.problem !== null && <p role="alert">{act.problem}</p>}
          <div class="buttons">
            <Button kind="main" disabled={act.busy} onClick={() => void act.run(() => model.certificates.changeKey())}>
              {act.busy ? 'Making the new key' : 'Make a new key'}
            </Button>
            <Button
              onClick={() => {
                asking.value = false
              }}
            >
              Keep this one
            </Button>
          </div>
        </Notice>
      ) : (
        <>
          <p class="quiet">Once in a while, or when somebody may have seen the file or its password.</p>
          <div class="buttons">
            <Button
              onClick={() => {
                asking.value = true
              }}
            >
              Change my key
            </Button>
          </div>
        </>
      )}
    </Panel>
  )
}

function Withdraw({ identity }: { identity: IdentityView }) {
  const model = useModel()
  const asking = useSignal(false)
  const act = useAct()
  const { isOwner } = model.session.value
  return (
    <Panel title="Withdraw the key">
      {!asking.value ? (
        <>
          <p class="quiet">When somebody else has the key. It then counts for nothing any more, wherever the news arrives.</p>
          <div class="buttons">
            <Button
              kind="danger"
              onClick={() => {
                asking.value = true
              }}
            >
              Withdraw this key
            </Button>
          </div>
        </>
      ) : (
        <Notice kind="danger">
          <p>Withdraw the key of {identity.callsign} for good?</p>
          <p>
            Every certificate of this key dies, whoever vouched, and so does trust in those whom only you vouch for. It cannot be undone, by nobody. You become a guest, and need a new
            certificate.
          </p>
          {isOwner && <p>You own this server: nobody is trusted on it any more, and only ham-server reset on its machine makes it usable again.</p>}
          {act.problem !== null && <p role="alert">{act.problem}</p>}
          <Confirm
            callsign={identity.callsign}
            words="Withdraw the key"
            working="Withdrawing"
            cancel="Keep it"
            busy={act.busy}
            onConfirm={() => void act.run(() => model.certificates.withdraw())}
            onCancel={() => {
              asking.value = false
            }}
          />
        </Notice>
      )}
    </Panel>
  )
}
