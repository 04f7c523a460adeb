/** How this device comes to trust the server's secure address; it notices by itself when it does. */
import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import type { Model } from '../../model'
import { useModel } from '../context'
import { type Device, deviceOf } from '../device'
import { Copyable } from '../parts/copyable'
import { Panel } from '../parts/panel'
import { StateLine } from '../parts/state'
import { joinHash, routeHash } from '../route'
import { PageTitle } from '../shell/page-title'
import { RadioWay } from './reach/radio-way'
import { TrustCertificate } from './trust-certificate'
import { type Guide, guides } from './trust-guides'
import { type TrustWatch, useTrust } from './use-trust'
import './trust.css'

export function Trust() {
  const model = useModel()
  const { secure, secureAddress } = model.server.value
  const watch = useTrust(model, !secure && secureAddress !== null)
  const device = useSignal<Device>(deviceOf(navigator))
  const guide = guides[device.value]
  const url = watch.url.value
  return (
    <div class="page trust">
      {secure ? (
        <Already />
      ) : secureAddress === null ? (
        <None />
      ) : url !== null ? (
        <Works url={url} did={watch.downloaded.value} />
      ) : (
        <NotYet
          guide={guide}
          device={device.value}
          choose={(chosen) => {
            device.value = chosen
          }}
          watch={watch}
        />
      )}
      {secureAddress !== null && <TrustCertificate secure={secureAddress} guide={guide} />}
    </div>
  )
}

interface NotYetProps {
  readonly guide: Guide
  readonly device: Device
  readonly choose: (device: Device) => void
  readonly watch: TrustWatch
}

function NotYet({ guide, device, choose, watch }: NotYetProps) {
  return (
    <>
      <PageTitle>The way to the secure address</PageTitle>
      <p class="lead">{guide.subject} does not trust this server’s address yet. Three steps, about a minute.</p>
      <p>
        Operators need them: browsers keep keys safe only on a secure address. As a guest you can <a href={routeHash({ page: 'people' })}>go on without</a>.
      </p>
      <Panel title="Three steps">
        <ChooseDevice device={device} choose={choose} />
        <ol class="trust-steps">
          {guide.steps.map((step, index) => (
            <li key={`${device} ${index}`}>
              <p>{step}</p>
              {index === 0 && (
                // Without `download`: an iPhone installs a profile only if it may open it.
                <a class="button button-main" href={guide.file.href} onClick={watch.download}>
                  {guide.file.words}
                </a>
              )}
            </li>
          ))}
        </ol>
      </Panel>
      <Panel title="Does it work?">
        <StateLine state={{ lamp: 'off', words: 'This device does not trust the server yet' }} />
        <p class="quiet">This page looks again every few seconds, and says here once it does.</p>
        {watch.stillNot.value && <Checks guide={guide} />}
      </Panel>
    </>
  )
}

function ChooseDevice({ device, choose }: Pick<NotYetProps, 'device' | 'choose'>) {
  const id = useId()
  return (
    <div class="trust-device">
      <label for={id}>For</label>
      <select
        id={id}
        class="input"
        name="device"
        value={device}
        onChange={({ currentTarget }) => {
          choose(currentTarget.value as Device)
        }}
      >
        {Object.entries(guides).map(([name, guide]) => (
          <option key={name} value={name}>
            {guide.name}
          </option>
        ))}
      </select>
    </div>
  )
}

function Checks({ guide }: { guide: Guide }) {
  return (
    <div class="prose" role="status">
      <p>All three steps are done, and still no? Then check:</p>
      <ul>
        {guide.checks.map((check, index) => (
          <li key={index}>{check}</li>
        ))}
        <li>The device’s date and time are right. With a wrong date no certificate counts.</li>
        <li>The device is still on the same network as the server.</li>
      </ul>
    </div>
  )
}

function Works({ url, did }: { url: string; did: boolean }) {
  const model = useModel()
  const go = useRef<HTMLAnchorElement>(null)
  const { fingerprint } = model.server.value
  const hash = fingerprint === null ? '' : joinHash(fingerprint, model.session.value.net)
  // Whoever did the steps is taken there, unless a conversation would end by that; whoever only reads is left alone.
  useEffect(() => {
    if (!did) return
    if (isTalking(model)) go.current?.focus()
    else location.assign(`${url}/${hash}`)
  }, [])
  return (
    <>
      <PageTitle>The way to the secure address</PageTitle>
      <div role="status">
        <StateLine state={{ lamp: 'on', words: 'This device trusts the server now' }} />
      </div>
      <p>The same server and the same people, at an address where browsers keep keys safe. Operators bring their key there.</p>
      <div class="trust-go">
        <a ref={go} class="button button-main" href={`${url}/${hash}`}>
          Go to the secure address
        </a>
        <code>{url}</code>
      </div>
      <p class="quiet">From now on use this one address: a key stays with the address it was brought to.</p>
    </>
  )
}

function isTalking({ conversations }: Model): boolean {
  return [...conversations.value.values()].some(({ phase }) => phase !== 'failed' && phase !== 'ended')
}

function Already() {
  const [address] = useModel().server.value.addresses
  return (
    <>
      <PageTitle>This page is already secure</PageTitle>
      <p class="lead">Its address starts with https or with localhost: browsers keep keys safe here. On this device nothing is left to do.</p>
      {address !== undefined && (
        <Panel title="Another device">
          <p>Open this address there. It shows the steps of that device:</p>
          <Copyable text={`${address.replace(/^https:/, 'http:')}/trust`} what="the address" />
        </Panel>
      )}
    </>
  )
}

function None() {
  const { radio } = useModel().server.value
  return (
    <>
      <PageTitle>No secure address</PageTitle>
      <RadioWay />
      {radio === null && <p class="lead">This server offers none at the moment. Operators can use the server’s own machine, at an address that starts with localhost.</p>}
    </>
  )
}
