/** The way from a certificate up to a root: who vouches for whom, drawn and in words. */
import type { Way } from '../../model-certificates'
import { stepWords } from '../certificate-words'
import { count } from '../format'
import { routeHash } from '../route'
import { Call } from './call'
import './path.css'

/** `here` is the certificate whose page this is on: it needs no link to itself. */
export function PathView({ way: { steps, leftOut }, here }: { way: Way; here: string }) {
  return (
    <ol class="path">
      {steps.map((step) => (
        <li key={step.fingerprint} class={step.anchor ? 'path-step path-root' : 'path-step'}>
          {step.fingerprint === here ? (
            <Call label={step.callsign} />
          ) : (
            <a href={routeHash({ page: 'certificate', fingerprint: step.fingerprint })}>
              <Call label={step.callsign} />
            </a>
          )}
          <span class="path-words">{stepWords(step)}</span>
        </li>
      ))}
      {leftOut > 0 && <li class="path-words">{count(leftOut, 'certificate')} in the middle of this way {leftOut > 1 ? 'are' : 'is'} left out.</li>}
    </ol>
  )
}
