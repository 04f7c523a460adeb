/** What a decision changes: numbers first, then names. */
import type { Affected, Effect } from '../../model-certificates'
import { effectWords } from '../certificate-words'
import { count } from '../format'
import './effect.css'

/** `would`: it has not happened yet. */
export function EffectView({ effect, would }: { effect: Effect; would: boolean }) {
  return (
    <div class="effect">
      <p class="effect-words">{effectWords(effect, would)}</p>
      {effect.loseCount > 0 && <Names words={would ? 'Would lose trust' : 'Lost trust'} names={effect.lose} total={effect.loseCount} />}
      {effect.gainCount > 0 && <Names words={would ? 'Would gain trust' : 'Gained trust'} names={effect.gain} total={effect.gainCount} />}
    </div>
  )
}

/** As many as are read at a glance; the rest opens. */
const glance = 12

function Names({ words, names, total }: { words: string; names: readonly Affected[]; total: number }) {
  const calls = [...new Set(names.map(({ callsign }) => callsign))]
  const rest = total - names.length
  return (
    <div>
      <p class="effect-label">{words}</p>
      <ul class="effect-names">
        {calls.slice(0, glance).map((call) => (
          <li key={call}>{call}</li>
        ))}
      </ul>
      {calls.length > glance && (
        <details>
          <summary>{count(calls.length - glance, 'more callsign')}</summary>
          <ul class="effect-names">
            {calls.slice(glance).map((call) => (
              <li key={call}>{call}</li>
            ))}
          </ul>
        </details>
      )}
      {rest > 0 && <p class="quiet">And {count(rest, 'certificate')} more.</p>}
    </div>
  )
}
