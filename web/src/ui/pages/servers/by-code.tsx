/** A server by its code: through the camera, from a photo, pasted, or typed by hand. What is read is shown before it is opened. */
import { useSignal } from '@preact/signals'
import type { Invitation } from '../../../model-reach'
import { useModel } from '../../context'
import { Button } from '../../parts/button'
import { Field } from '../../parts/field'
import { Fingerprint } from '../../parts/fingerprint'
import { Icon } from '../../parts/icons'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { routeHash } from '../../route'
import { Camera } from './camera'
import { readPhoto } from './decode'
import { Scanned } from './net'

const NOT_OURS = 'This leads to no server. A server’s code holds an address that begins with http, such as http://192.168.1.5:8080.'

export function ByCode() {
  const model = useModel()
  const scanning = useSignal(false)
  const text = useSignal('')
  const found = useSignal<Invitation | null>(null)
  const problem = useSignal<string | null>(null)
  const { secure } = model.server.value

  const read = (words: string) => {
    const invitation = model.reach.readInvitation(words)
    found.value = invitation
    problem.value = invitation === null ? NOT_OURS : null
    if (invitation !== null) scanning.value = false
  }
  const photo = async (file: File) => {
    try {
      read(await readPhoto(file))
    } catch {
      found.value = null
      problem.value = 'No code was found in this picture. Take it straight from the front, with the whole code and a light edge around it.'
    }
  }

  return (
    <Panel title="By its code or address">
      {scanning.value ? (
        <Camera
          read={read}
          stop={() => {
            scanning.value = false
          }}
        />
      ) : (
        <div class="buttons">
          {secure && (
            <Button
              kind="main"
              onClick={() => {
                found.value = problem.value = null
                scanning.value = true
              }}
            >
              <Icon name="scan" />
              Scan with the camera
            </Button>
          )}
          <Photo take={(file) => void photo(file)} />
        </div>
      )}
      {!secure && <PlainPage />}
      <form
        class="servers-address"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          read(text.value)
        }}
      >
        <Field label="Or paste a code’s text, or type an address" hint="Such as 192.168.1.5:8080 or w1aw.local">
          {(input) => (
            <input
              {...input}
              name="address"
              value={text.value}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              onInput={({ currentTarget }) => {
                text.value = currentTarget.value
              }}
            />
          )}
        </Field>
        <div class="buttons">
          <Button type="submit">Read it</Button>
        </div>
      </form>
      <div role="status">
        {problem.value !== null && (
          <Notice kind="warn">
            <p>{problem.value}</p>
          </Notice>
        )}
        {found.value !== null && <Read invitation={found.value} />}
      </div>
      <Scanned fingerprint={found.value?.fingerprint ?? null} />
    </Panel>
  )
}

function Photo({ take }: { take: (file: File) => void }) {
  return (
    <label class="button button-plain photo">
      From a photo
      <input
        class="visually-hidden"
        type="file"
        accept="image/*"
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0]
          currentTarget.value = ''
          if (file !== undefined) take(file)
        }}
      />
    </label>
  )
}

/** Browsers give the camera to secure pages only. */
function PlainPage() {
  const { secureAddress } = useModel().server.value
  return (
    <p class="quiet">
      Scanning here needs a secure page. Any phone’s own camera app opens the code as well
      {secureAddress !== null && (
        <>
          , or go <a href={routeHash({ page: 'trust' })}>the way to the secure address</a>
        </>
      )}
      .
    </p>
  )
}

function Read({ invitation: { url, address, fingerprint, local } }: { invitation: Invitation }) {
  const server = useModel().server.value
  const same = fingerprint !== null && fingerprint === server.fingerprint
  return (
    <Notice kind={local ? 'plain' : 'warn'}>
      <p class="invitation">
        {same ? 'This leads to the server you are at, by the address ' : 'This leads to the server at '}
        <code>{address}</code>.
      </p>
      {!local && <p>That is no address of a local network. Open it only if you know whose it is.</p>}
      {fingerprint !== null && !same && (
        <p>
          Its certificate must have the fingerprint <Fingerprint hex={fingerprint} />
        </p>
      )}
      <p>
        <a class="button button-main" href={url}>
          Open {address}
        </a>
      </p>
    </Notice>
  )
}
