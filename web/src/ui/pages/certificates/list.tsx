/** Everybody whose certificate this server holds. Pages are fetched as they are asked for. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { CertificateStatus, CertificateSummary } from '../../../model-certificates'
import { type Act, useAct } from '../../asked'
import { statuses } from '../../certificate-words'
import { useModel } from '../../context'
import { Failed } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Field } from '../../parts/field'
import { StateLine } from '../../parts/state'
import { CertificateRow } from './row'
import './list.css'

/** A person types on: what is asked is where they stopped. */
const PAUSE = 250

export function CertificateList() {
  const { certificates } = useModel()
  const callsign = useSignal('')
  const status = useSignal<CertificateStatus | null>(null)
  const listed = useSignal<readonly CertificateSummary[] | null>(null)
  const next = useSignal<string | null>(null)
  const first = useAct('The server did not answer. Try again.')
  const more = useAct('The server did not answer. Try again.')

  const start = () => {
    const query = { callsign: callsign.peek(), status: status.peek(), after: null }
    void first.run(async () => {
      const page = await certificates.list(query)
      listed.value = page.certificates
      next.value = page.next
    }).then(() => {
      // What was typed meanwhile is asked now.
      if (query.callsign !== callsign.peek() || query.status !== status.peek()) start()
    })
  }
  const goOn = () =>
    void more.run(async () => {
      const page = await certificates.list({ callsign: callsign.peek(), status: status.peek(), after: next.peek() })
      const known = new Set(listed.peek()?.map(({ fingerprint }) => fingerprint))
      listed.value = [...(listed.peek() ?? []), ...page.certificates.filter(({ fingerprint }) => !known.has(fingerprint))]
      next.value = page.next
    })

  useEffect(() => {
    const timer = setTimeout(start, listed.peek() === null ? 0 : PAUSE)
    return () => clearTimeout(timer)
  }, [callsign.value, status.value])

  return (
    <>
      <search class="narrow">
        <Field label="Callsign">
          {(input) => (
            <input
              {...input}
              type="search"
              autocapitalize="characters"
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => {
                callsign.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
        <Field label="Show">
          {(input) => (
            <select
              {...input}
              onChange={(event) => {
                status.value = statuses.find(([name]) => name === event.currentTarget.value)?.[0] ?? null
              }}
            >
              <option value="">All</option>
              {statuses.map(([name, words]) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
      </search>
      {first.problem !== null && <Failed problem={first.problem} again={start} />}
      {listed.value === null && first.problem === null && <StateLine state={{ lamp: 'busy', words: 'Asking the server for the list' }} />}
      {listed.value !== null && (
        <Rows rows={listed.value} narrowed={callsign.value !== '' || status.value !== null} hasMore={next.value !== null} more={more} goOn={goOn} />
      )}
    </>
  )
}

interface RowsProps {
  readonly rows: readonly CertificateSummary[]
  readonly narrowed: boolean
  readonly hasMore: boolean
  readonly more: Act
  readonly goOn: () => void
}

function Rows({ rows, narrowed, hasMore, more, goOn }: RowsProps) {
  if (rows.length === 0) {
    return narrowed ? (
      <p class="quiet" role="status">
        No certificate here fits. Clear the callsign, or show all.
      </p>
    ) : (
      <p class="quiet">This server holds no certificates yet.</p>
    )
  }
  return (
    <>
      <ul class="rows certificate-rows">
        {rows.map((row) => (
          <CertificateRow key={row.fingerprint} certificate={row} />
        ))}
      </ul>
      {more.problem !== null && <Failed problem={more.problem} again={goOn} />}
      {hasMore ? (
        <div class="buttons">
          <Button disabled={more.busy} onClick={goOn}>
            {more.busy ? 'Asking for more' : 'Show more'}
          </Button>
        </div>
      ) : (
        <p class="quiet">That is everybody{narrowed ? ' who fits' : ''}.</p>
      )}
    </>
  )
}
