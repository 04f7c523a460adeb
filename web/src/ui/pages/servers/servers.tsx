/** Servers: finding one by its code, by its address, or where this browser can look. */
import { useEffect } from 'preact/hooks'
import type { FindStep, FoundServer } from '../../../model-reach'
import { useModel } from '../../context'
import { heardAgo } from '../../format'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { Panel } from '../../parts/panel'
import { StateLine } from '../../parts/state'
import { PageTitle } from '../../shell/page-title'
import { serverName } from '../../words'
import { ByCode } from './by-code'
import { Net } from './net'
import './servers.css'

export function Servers() {
  return (
    <div class="page servers">
      <PageTitle>Servers</PageTitle>
      <Net />
      <ByCode />
      <Found />
    </div>
  )
}

/** Where this browser can look by itself: each place with its result, as it comes. */
export function Found() {
  const model = useModel()
  useEffect(() => model.reach.find(), [model])
  const steps = model.reach.finding.value
  const looking = steps === null || steps.some(({ state }) => state === 'looking')
  return (
    <Panel title="Found by looking">
      {steps?.map((step) => (
        <Place key={step.where} step={step} />
      ))}
      <p class="quiet">This is what they say of themselves. A server proves who it is when you open it.</p>
      <div class="buttons">
        <Button disabled={looking} onClick={() => model.reach.find()}>
          {looking ? 'Looking' : 'Look again'}
        </Button>
      </div>
    </Panel>
  )
}

function Place({ step: { where, state, servers } }: { step: FindStep }) {
  const server = serverName(useModel().server.value)
  const title = { heard: `Heard by ${server}`, known: 'Heard of before by this browser', here: 'On this device' }[where]
  const none = {
    heard: 'It hears no other server on its network.',
    known: 'None yet. Servers that are heard are remembered here.',
    here: 'None, as far as this browser lets the page look.',
  }[where]
  return (
    <section class="servers-place">
      <h3>{title}</h3>
      <div role="status">
        {state === 'looking' && servers.length === 0 && <StateLine state={{ lamp: 'busy', words: 'Looking' }} />}
        {state === 'failed' && <StateLine state={{ lamp: 'failed', words: 'The server does not answer' }} />}
        {state === 'done' && servers.length === 0 && <p class="quiet">{none}</p>}
      </div>
      {servers.length > 0 && (
        <ul class="servers-list">
          {servers.map((one) => (
            <li key={one.url}>
              <Call label={one.callsign ?? 'No owner yet'} plain={one.callsign === null} />
              <a href={one.url}>{one.address}</a>
              <Answer server={one} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const answers = {
  asked: { lamp: 'busy', words: 'Asking it' },
  answers: { lamp: 'on', words: 'Answers' },
  silent: { lamp: 'failed', words: 'Does not answer this device' },
  unasked: { lamp: 'off', words: 'Cannot be asked from this page: open it to see' },
} as const

function Answer({ server }: { server: FoundServer }) {
  const how = howFound(server)
  return (
    <div>
      <StateLine state={answers[server.state]} />
      {how !== '' && <p class="quiet">{how}</p>}
    </div>
  )
}

/** How it was found, and how long ago: as far as the server that tells of it says so. */
function howFound({ age, found, verified }: FoundServer): string {
  const heard = age === null ? null : heardAgo(age)
  const by = found === 'manual' ? 'from a node’s list' : found === 'peer' ? (heard === null ? 'known through another server' : 'linked') : null
  return [verified ? 'verified' : null, by, found === 'manual' ? null : heard].filter((word) => word !== null).join(', ')
}
