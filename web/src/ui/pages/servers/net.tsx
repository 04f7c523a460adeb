/** The servers that are one net with ours: who is there, by which way, and what the owner decides about them. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { NetServer, NetView, SplitLog } from '../../../model-reach'
import { useAct } from '../../asked'
import { useModel } from '../../context'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { Field } from '../../parts/field'
import { Fingerprint } from '../../parts/fingerprint'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { StateLine } from '../../parts/state'
import { listed } from '../../format'
import { type State, serverName } from '../../words'
import './net.css'

export function Net() {
  const model = useModel()
  useEffect(() => model.reach.watchNet(), [model])
  const net = model.reach.net.value
  const { isOwner } = model.session.value
  const server = serverName(model.server.value)
  return (
    <Panel title="In one net">
      <p class="quiet">People at these servers and at {server} see each other and can talk.</p>
      {net === null && <StateLine state={{ lamp: 'busy', words: 'Asking the server' }} />}
      {net !== null && <Warnings net={net} />}
      {net?.servers.length === 0 && (
        <p>No other server yet. Servers on one network find each other by themselves{isOwner ? '; add one that is farther away' : ''}.</p>
      )}
      {net !== null && net.servers.length > 0 && (
        <ul class="servers-list">
          {net.servers.map((one) => (
            <li key={one.id}>
              <Other server={one} mine={isOwner} />
            </li>
          ))}
        </ul>
      )}
      {isOwner && <Add />}
    </Panel>
  )
}

function Warnings({ net: { copyRuns, splits } }: { net: NetView }) {
  return (
    <>
      {copyRuns && (
        <Notice kind="danger">
          <p>
            <strong>A copy of this server runs</strong>
          </p>
          <p>Another server was there with this one’s key: a copy of its folder, or a backup that was restored. Stop one of the two.</p>
        </Notice>
      )}
      {splits.map((split) => (
        <Split key={split.keyId} split={split} />
      ))}
    </>
  )
}

function Split({ split: { keyId, callsign, entries, heads } }: { split: SplitLog }) {
  const whose = callsign ?? `The key ${keyId.slice(0, 16)}`
  return (
    <Notice kind="danger">
      <p>
        <strong>{whose} has two histories</strong>
      </p>
      <p>
        {callsign === null ? 'Its server' : `${callsign}’s server`} shows different people different lists of the certificates it issued ({entries} entries each). Do not
        trust whom it vouches for until its owner explained that.
      </p>
      <p class="quiet">The proof: its key signed both of these ends.</p>
      {heads.map((head) => (
        <p key={head}>
          <Fingerprint hex={head} />
        </p>
      ))}
    </Notice>
  )
}

function Other({ server, mine }: { server: NetServer; mine: boolean }) {
  const { callsign, endpoint, links, reason } = server
  return (
    <>
      {server.plain ? <Call label="Somebody’s server" plain /> : <Call label={callsign ?? 'Nobody known there yet'} plain={callsign === null} />}
      {server.plain && <p class="quiet">{callsign === null ? 'It does not say whose it is.' : `It says that it is ${callsign}’s.`}</p>}
      {endpoint !== '' && <p class="net-endpoint">{endpoint}</p>}
      <StateLine state={stateOf(server)} />
      {reason !== null && server.state !== 'unknown' && <p class="quiet">Because {reason}.</p>}
      {links.length > 0 && (
        <p class="quiet">
          It is linked with {listed(links)}
          {server.state === 'linked' && ' as well'}.
        </p>
      )}
      {mine && <Decide server={server} />}
    </>
  )
}

function stateOf({ state, plain, radio, through }: NetServer): State {
  if (plain) return { lamp: 'lost', words: 'Linked by plain messages only: nothing of it is proved' }
  switch (state) {
    case 'linked':
      return { lamp: 'on', words: radio ? 'Linked across amateur frequencies: no calls' : 'Linked' }
    case 'reachable':
      return { lamp: 'on', words: through.length === 0 ? 'Reached through others' : `Reached through ${listed(through.map((one) => one ?? 'a server without a name'))}` }
    case 'unknown':
      return { lamp: 'lost', words: 'There, but nobody trusted here vouches for it' }
    case 'blacklisted':
      return { lamp: 'failed', words: 'Distrusted by this server’s owner' }
    case 'gone':
      return { lamp: 'off', words: 'Gone' }
    case 'searching':
      return { lamp: 'busy', words: 'Being looked for' }
  }
}

/** What the owner can do about a server. */
function Decide({ server }: { server: NetServer }) {
  const model = useModel()
  const comparing = useSignal(false)
  const act = useAct()
  const { id, callsign, root, named, state } = server
  const name = callsign ?? server.endpoint
  return (
    <>
      {state === 'unknown' && root !== null && comparing.value && (
        <Compare
          root={root}
          busy={act.busy}
          accept={() => void act.run(() => model.reach.acceptServer(id, root.fingerprint))}
          cancel={() => {
            comparing.value = false
          }}
        />
      )}
      <div class="buttons">
        {state === 'unknown' && root !== null && !comparing.value && (
          <Button
            onClick={() => {
              comparing.value = true
            }}
          >
            Decide about {name}
          </Button>
        )}
        {named && (
          <Button disabled={act.busy} label={`Stop dialling ${name}`} onClick={() => void act.run(() => model.reach.unnameServer(id))}>
            Stop dialling
          </Button>
        )}
      </div>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
    </>
  )
}

interface CompareProps {
  readonly root: NonNullable<NetServer['root']>
  readonly busy: boolean
  readonly accept: () => void
  readonly cancel: () => void
}

function Compare({ root: { fingerprint, callsign }, busy, accept, cancel }: CompareProps) {
  return (
    <div class="net-compare">
      <p>
        {callsign} vouches for it, whom nobody trusted here knows. Have {callsign} read the fingerprint of their certificate to you, in person or by a voice you know. Trust
        it only if all of it is the same:
      </p>
      <p>
        <Fingerprint hex={fingerprint} />
      </p>
      <p class="quiet">From then on this server trusts {callsign} and whomever they vouch for.</p>
      <div class="buttons">
        <Button kind="main" disabled={busy} onClick={accept}>
          It is the same: trust {callsign}
        </Button>
        <Button onClick={cancel}>Not now</Button>
      </div>
    </div>
  )
}

/** The owner scanned the code of a server that proved to be there: whoever showed the code vouches for it, and nothing has to be read aloud. */
export function Scanned({ fingerprint }: { fingerprint: string | null }) {
  const model = useModel()
  const act = useAct()
  const server = model.reach.net.value?.servers.find(({ id }) => id === fingerprint)
  const root = server?.root ?? null
  if (!model.session.value.isOwner || server?.state !== 'unknown' || root === null) return null
  return (
    <Notice>
      <p>
        The code is that of {server.callsign ?? 'a server'}’s server, which proved to this one that it is there. If you have the code from its own screen or its owner’s hand,
        you can trust it without comparing anything.
      </p>
      <p class="quiet">From then on this server trusts {root.callsign} and whomever they vouch for.</p>
      <div class="buttons">
        <Button disabled={act.busy} onClick={() => void act.run(() => model.reach.acceptServer(server.id, root.fingerprint))}>
          Trust {root.callsign}
        </Button>
      </div>
      {act.problem !== null && <p role="alert">{act.problem}</p>}
    </Notice>
  )
}

function Add() {
  const model = useModel()
  const endpoint = useSignal('')
  const act = useAct()
  return (
    <form
      class="net-add"
      noValidate
      onSubmit={async (event) => {
        event.preventDefault()
        if (endpoint.value.trim() !== '' && (await act.run(() => model.reach.nameServer(endpoint.value.trim())))) endpoint.value = ''
      }}
    >
      <Field label="Add a server" hint="Such as https://192.168.40.3:8080. It is dialled until you stop that." problem={act.problem ?? undefined}>
        {(input) => (
          <input
            {...input}
            name="server"
            value={endpoint.value}
            inputMode="url"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={({ currentTarget }) => {
              endpoint.value = currentTarget.value
            }}
          />
        )}
      </Field>
      <div class="buttons">
        <Button type="submit" disabled={act.busy}>
          Add it
        </Button>
      </div>
    </form>
  )
}
