/** A fingerprint in groups of four, to be compared by two people reading aloud. */
import { fingerprintGroups } from '../format'
import './fingerprint.css'

export function Fingerprint({ hex }: { hex: string }) {
  return (
    <code class="fingerprint">
      {fingerprintGroups(hex).map((group, index) => (
        // Groups repeat and never move: their place is their identity.
        <span key={index}>{group} </span>
      ))}
    </code>
  )
}
