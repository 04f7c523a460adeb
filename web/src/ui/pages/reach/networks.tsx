/** For the owner: which of the server's networks cross amateur frequencies. */
import { useSignal } from '@preact/signals'
import type { Zone, ZoneRule, ZonesView } from '../../../model-reach'
import { useAct, useAsked } from '../../asked'
import { useModel } from '../../context'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Field } from '../../parts/field'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import './networks.css'

const zoneWords: Record<Zone, string> = {
  open: 'Open: cable or unlicensed Wi-Fi',
  part97: 'Amateur radio: nothing is encrypted',
}

const settingWords: Record<Zone, string> = { open: 'This is open', part97: 'This is amateur radio' }

export function Networks() {
  const model = useModel()
  const asked = useAsked(() => model.reach.zones(), [])
  return (
    <Panel title="Networks">
      <p>
        Nothing that crosses amateur frequencies may be encrypted. There this server refuses https and calls, and says why. Say here which of its networks those are.
      </p>
      <Answer asked={asked} what="its networks">
        {(zones) => <Zones zones={zones} changed={asked.again} />}
      </Answer>
    </Panel>
  )
}

function Zones({ zones: { rules, networks }, changed }: { zones: ZonesView; changed: () => void }) {
  const model = useModel()
  const act = useAct()
  const own = rules.filter(({ source }) => source === 'owner')
  const save = (next: readonly ZoneRule[]) =>
    act.run(async () => {
      await model.reach.setZones(next)
      changed()
    })
  const without = (subject: string) => own.filter((rule) => rule.subject !== subject)

  return (
    <>
      <ul class="networks">
        {networks.map(({ name, addresses, zone, reason }) => {
          const rule = rules.find(({ subject }) => subject === name)
          const other = zone === 'open' ? 'part97' : 'open'
          return (
            <li key={name}>
              <p class="networks-name">
                <code>{name}</code> {addresses.join(', ')}
              </p>
              <p>
                <span class="state-words">{zoneWords[zone]}</span> <span class="quiet">({reason})</span>
              </p>
              {rule?.source !== 'settings' && (
                <div class="buttons">
                  <Button disabled={act.busy} label={`${settingWords[other]}: ${name}`} onClick={() => void save([...without(name), { subject: name, zone: other }])}>
                    {settingWords[other]}
                  </Button>
                </div>
              )}
            </li>
          )
        })}
      </ul>
      {rules.length > 0 && (
        <>
          <h3>What is set for them</h3>
          <ul class="networks">
            {rules.map(({ subject, zone, source }) => (
              <li key={subject}>
                <p>
                  <code>{subject}</code> {zoneWords[zone]}
                  {source === 'settings' && <span class="quiet"> (in the server’s settings)</span>}
                </p>
                {source === 'owner' && (
                  <div class="buttons">
                    <Button disabled={act.busy} label={`Forget ${subject}`} onClick={() => void save(without(subject))}>
                      Forget
                    </Button>
                  </div>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      <AddRule busy={act.busy} add={(rule) => save([...without(rule.subject), rule])} />
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
    </>
  )
}

/** For what is behind a router: addresses that no interface of this machine shows. */
function AddRule({ busy, add }: { busy: boolean; add: (rule: ZoneRule) => Promise<boolean> }) {
  const subject = useSignal('')
  const zone = useSignal<Zone>('part97')
  return (
    <details class="networks-add">
      <summary>Addresses behind a router</summary>
      <form
        noValidate
        onSubmit={async (event) => {
          event.preventDefault()
          if (!busy && subject.value.trim() !== '' && (await add({ subject: subject.value.trim(), zone: zone.value }))) subject.value = ''
        }}
      >
        <Field label="Addresses" hint="Such as 10.0.0.0/8 for an AREDN network, or 44.0.0.0/9.">
          {(input) => (
            <input
              {...input}
              name="subject"
              value={subject.value}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              onInput={(event) => {
                subject.value = event.currentTarget.value
              }}
            />
          )}
        </Field>
        <Field label="They are">
          {(input) => (
            <select
              {...input}
              name="zone"
              value={zone.value}
              onChange={(event) => {
                zone.value = event.currentTarget.value as Zone
              }}
            >
              <option value="part97">{zoneWords.part97}</option>
              <option value="open">{zoneWords.open}</option>
            </select>
          )}
        </Field>
        <div class="buttons">
          <Button type="submit" disabled={busy}>
            Add
          </Button>
        </div>
      </form>
    </details>
  )
}
