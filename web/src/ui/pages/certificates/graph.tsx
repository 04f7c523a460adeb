/** Who vouches for whom around one certificate: as a drawing, and as a table that says the same. */
import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import type { CertificateSummary, Surroundings } from '../../../model-certificates'
import { useAsked } from '../../asked'
import { howChecked, statusState } from '../../certificate-words'
import { useModel } from '../../context'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Panel } from '../../parts/panel'
import { LampIcon } from '../../parts/state'
import { routeHash } from '../../route'
import { BOX, draw } from './layout'
import './graph.css'

export function Graph({ fingerprint }: { fingerprint: string }) {
  const { certificates } = useModel()
  const asked = useAsked(() => certificates.around(fingerprint), [fingerprint])
  const asTable = useSignal(false)
  return (
    <Panel title="Around this certificate">
      <Answer asked={asked} what="who vouches for whom">
        {(around) =>
          around.words.length === 0 && around.people.length < 2 ? (
            <p class="quiet">Nobody here vouches for it, and it vouches for nobody.</p>
          ) : (
            <>
              {asTable.value ? <Table around={around} /> : <Picture around={around} />}
              {around.more && <p class="quiet">There are more than are shown here.</p>}
              <div class="buttons">
                <Button
                  onClick={() => {
                    asTable.value = !asTable.value
                  }}
                >
                  {asTable.value ? 'Show as a drawing' : 'Show as a table'}
                </Button>
              </div>
            </>
          )
        }
      </Answer>
    </Panel>
  )
}

function Picture({ around }: { around: Surroundings }) {
  const id = useId()
  const { width, height, boxes, lines } = draw(around)
  const people = new Map(around.people.map((one) => [one.fingerprint, one]))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse.
    <section class="graph" tabIndex={0} aria-label="Drawing: an arrow leads from whoever vouches to whom they vouch for">
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the section names it, and its boxes are links with names. */}
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height}>
        <defs>
          <marker id={id} viewBox="0 0 8 8" refX="2" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path class="graph-tip" d="M0 0 8 4 0 8Z" />
          </marker>
        </defs>
        {lines.map(({ from, to, path }) => (
          <path key={`${from} ${to}`} class="graph-line" d={path} marker-end={`url(#${id})`} />
        ))}
        {boxes.map(({ fingerprint, x, y }) => {
          const one = people.get(fingerprint)
          return one && <BoxOf key={fingerprint} one={one} x={x} y={y} centre={fingerprint === around.centre} />
        })}
      </svg>
    </section>
  )
}

function BoxOf({ one, x, y, centre }: { one: CertificateSummary; x: number; y: number; centre: boolean }) {
  const state = statusState(one.status)
  const what = one.status !== 'trusted' ? state.words : one.server ? 'server' : one.anchor ? 'root' : (one.licenceClass ?? '')
  return (
    <a
      class={centre ? 'graph-box graph-centre' : 'graph-box'}
      href={routeHash({ page: 'certificate', fingerprint: one.fingerprint })}
      {...(centre ? { 'aria-current': 'true' as const } : {})}
    >
      <rect x={x} y={y} width={BOX.width} height={BOX.height} rx={one.anchor ? 0 : 4} />
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the link says it in words. */}
      <svg x={x + 10} y={y + 8} width="16" height="16" overflow="visible">
        <LampIcon lamp={state.lamp} />
      </svg>
      <text class="graph-call" x={x + 32} y={y + 24}>
        {one.callsign.length > 10 ? `${one.callsign.slice(0, 9)}…` : one.callsign}
      </text>{' '}
      <text class="graph-what" x={x + 32} y={y + 44}>
        {what.length > 14 ? `${what.slice(0, 13)}…` : what}
      </text>
    </a>
  )
}

function Table({ around }: { around: Surroundings }) {
  const people = new Map(around.people.map((one) => [one.fingerprint, one]))
  const name = (fingerprint: string) => {
    const one = people.get(fingerprint)
    return (
      <a href={routeHash({ page: 'certificate', fingerprint })}>
        {one?.callsign ?? fingerprint.slice(0, 8)}
        {one?.server === true && ' (server)'}
      </a>
    )
  }
  const inWords = new Set(around.words.flatMap(({ from, to }) => [from, to]))
  const alone = around.people.filter(({ fingerprint }) => !inWords.has(fingerprint))
  return (
    <>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th scope="col">Who vouches</th>
              <th scope="col">For whom</th>
              <th scope="col">How</th>
            </tr>
          </thead>
          <tbody>
            {around.words.map(({ from, to, method }) => (
              <tr key={`${from} ${to}`}>
                <td>{name(from)}</td>
                <td>{name(to)}</td>
                <td>{method === null ? 'as its owner' : howChecked(method)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {alone.length > 0 && (
        <p>
          Of the same callsign, without a way to a root:{' '}
          {alone.map(({ fingerprint, status }, index) => (
            <span key={fingerprint}>
              {index > 0 && ', '}
              {name(fingerprint)} ({statusState(status).words})
            </span>
          ))}
        </p>
      )}
    </>
  )
}
