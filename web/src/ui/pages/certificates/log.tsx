/** Every certificate that this server ever issued, and the check that nothing of it was changed. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { LogCheck, LogEntry } from '../../../model-certificates'
import { useAct } from '../../asked'
import { howChecked } from '../../certificate-words'
import { useModel } from '../../context'
import { download } from '../../download'
import { clock, count, utcClock } from '../../format'
import { now } from '../../now'
import { Failed } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Fingerprint } from '../../parts/fingerprint'
import { Icon } from '../../parts/icons'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { StateLine } from '../../parts/state'
import { routeHash } from '../../route'

export function IssuanceLog() {
  const { certificates } = useModel()
  const entries = useSignal<readonly LogEntry[] | null>(null)
  const next = useSignal<string | null>(null)
  const act = useAct('The server did not answer. Try again.')
  const load = () =>
    void act.run(async () => {
      const page = await certificates.log(next.peek())
      entries.value = [...(entries.peek() ?? []), ...page.entries]
      next.value = page.next
    })
  useEffect(load, [])

  const listed = entries.value
  return (
    <>
      <p>Whoever this server vouches for stands in its log, in the order of issuing. Each entry seals those before it, and the server signs the last: nothing can be changed or left out unseen.</p>
      <Check />
      {act.problem !== null && <Failed problem={act.problem} again={load} />}
      {listed === null && act.problem === null && <StateLine state={{ lamp: 'busy', words: 'Asking the server for the log' }} />}
      {listed?.length === 0 && <p class="quiet">This server has issued nothing yet.</p>}
      {listed !== null && listed.length > 0 && <Entries entries={listed} />}
      {next.value !== null && (
        <div class="buttons">
          <Button disabled={act.busy} onClick={load}>
            {act.busy ? 'Asking for more' : 'Show more'}
          </Button>
        </div>
      )}
    </>
  )
}

function Check() {
  const { certificates } = useModel()
  const result = useSignal<LogCheck | null>(null)
  const check = useAct('The server did not answer. Try again.')
  const save = useAct('The server did not answer. Try again.')
  const problem = check.problem ?? save.problem
  return (
    <Panel title="Is it whole?">
      <div role="status">
        {result.value === null && !check.busy && <p class="quiet">Not checked on this page yet.</p>}
        {check.busy && <StateLine state={{ lamp: 'busy', words: 'Fetching every entry and checking it here' }} />}
        {!check.busy && result.value?.ok === true && (
          <>
            <StateLine state={{ lamp: 'on', words: 'The log is whole' }} />
            <p>
              {count(result.value.size, 'entry follows', 'entries follow')} one another without a gap, and the server’s signature fits. This browser remembers it, and will notice if they
              are ever changed.
            </p>
          </>
        )}
        {!check.busy && result.value?.ok === false && (
          <Notice kind="danger">
            <p>The log is not whole</p>
            <p>{result.value.problem}</p>
            <p>Save it as it is now, and show it to the owner and to other operators.</p>
          </Notice>
        )}
      </div>
      {!check.busy && result.value?.ok === true && result.value.size > 0 && (
        <dl class="facts">
          <div>
            <dt>Its seal, to compare with another operator</dt>
            <dd>
              <Fingerprint hex={result.value.head} />
            </dd>
          </div>
        </dl>
      )}
      {problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{problem}</p>
        </Notice>
      )}
      <div class="buttons">
        <Button
          kind="main"
          disabled={check.busy}
          onClick={() =>
            void check.run(async () => {
              result.value = await certificates.checkLog()
            })
          }
        >
          Check the log
        </Button>
        <Button
          disabled={save.busy}
          onClick={() =>
            void save.run(async () => {
              download(await certificates.exportLog(), 'issuance-log.txt')
            })
          }
        >
          <Icon name="save" />
          Save the log
        </Button>
      </div>
    </Panel>
  )
}

function Entries({ entries }: { entries: readonly LogEntry[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse.
    <section class="table" tabIndex={0} aria-label="The entries">
      <table>
        <thead>
          <tr>
            <th scope="col">No.</th>
            <th scope="col">For</th>
            <th scope="col">How the licence was checked</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ index, at, callsign, licenceClass, method, fingerprint }) => (
            <tr key={index}>
              <td>{index + 1}</td>
              <td>
                <a href={routeHash({ page: 'certificate', fingerprint })}>{callsign}</a>
                {licenceClass !== null && ` ${licenceClass}`}
              </td>
              <td>{howChecked(method)}</td>
              <td>{[clock(at, now.value), utcClock(at)].filter(Boolean).join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
