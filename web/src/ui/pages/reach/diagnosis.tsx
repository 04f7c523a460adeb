/** What is in the way of calls: each with its state, one sentence, and one thing to do. */
import { useSignal } from '@preact/signals'
import type { Check } from '../../../model-reach'
import { useAsked } from '../../asked'
import { useModel } from '../../context'
import { Button } from '../../parts/button'
import { LampIcon, StateLine } from '../../parts/state'
import { routeHash } from '../../route'
import { PageTitle } from '../../shell/page-title'
import './diagnosis.css'

const titles: Record<Check['about'], string> = {
  server: 'The server',
  network: 'The server’s network',
  zone: 'Amateur frequencies',
  route: 'A way onto the network',
  permission: 'What this page may do',
  address: 'This device’s address',
  multicast: 'Device discovery',
  isolation: 'Device to device',
  certificate: 'The secure address',
}

const states = {
  ok: { lamp: 'on', words: 'in order' },
  problem: { lamp: 'failed', words: 'in the way' },
  unknown: { lamp: 'off', words: 'cannot be seen from here' },
} as const

export function DiagnosisPage({ after }: { after: 'call' | null }) {
  const model = useModel()
  const { value, asking, again } = useAsked(() => model.reach.diagnose(after), [after])
  const problems = value?.filter(({ state }) => state === 'problem') ?? []
  return (
    <div class="page diagnosis">
      <PageTitle>What is in the way</PageTitle>
      <div role="status">
        {asking ? (
          <StateLine state={{ lamp: 'busy', words: 'Looking. This takes some seconds' }} />
        ) : problems.length === 0 ? (
          <StateLine state={{ lamp: 'on', words: 'Nothing is in the way, as far as it can be seen from here' }} />
        ) : (
          <StateLine state={{ lamp: 'failed', words: problems.length === 1 ? 'One thing is in the way' : `${problems.length} things are in the way. Begin with the first` }} />
        )}
      </div>
      {value !== null && (
        <ul class="checks">
          {value.map((check) => (
            <CheckItem key={check.about} check={check} again={again} />
          ))}
        </ul>
      )}
      <div class="buttons">
        <Button disabled={asking} onClick={again}>
          Look again
        </Button>
      </div>
    </div>
  )
}

function CheckItem({ check, again }: { check: Check; again: () => void }) {
  const { lamp, words } = states[check.state]
  return (
    <li class={`check check-${check.state}`}>
      <h2>
        <LampIcon lamp={lamp} />
        <span>
          {titles[check.about]}: <span class="state-words">{words}</span>
        </span>
      </h2>
      <p>{check.sentence}</p>
      {check.action !== null && <p class="check-action">{check.action}</p>}
      {check.help === 'microphone' && <Microphone again={again} />}
      {check.help === 'trust' && (
        <p>
          <a href={routeHash({ page: 'trust' })}>The way to the secure address</a>
        </p>
      )}
    </li>
  )
}

function Microphone({ again }: { again: () => void }) {
  const model = useModel()
  const refused = useSignal(false)
  return (
    <div class="buttons">
      <Button
        kind="main"
        onClick={async () => {
          refused.value = !(await model.reach.askForMicrophone())
          if (!refused.value) again()
        }}
      >
        Allow the microphone
      </Button>
      {refused.value && <p role="alert">It was not allowed. The browser’s settings for this page can change that.</p>}
    </div>
  )
}
