/** For the owner: how this server is entered at an AREDN node, and the servers in a node's list. */
import { useSignal } from '@preact/signals'
import type { ListedServer } from '../../../model-reach'
import { useAct, useAsked } from '../../asked'
import { useModel } from '../../context'
import { count } from '../../format'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { Copyable } from '../../parts/copyable'
import { Field } from '../../parts/field'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import './networks.css'

export function Aredn() {
  return (
    <Panel title="On an AREDN network">
      <details class="networks-add">
        <summary>Enter this server at a node</summary>
        <Entry />
      </details>
      <details class="networks-add">
        <summary>Read the servers in a node’s list</summary>
        <Import />
      </details>
    </Panel>
  )
}

function Entry() {
  const model = useModel()
  const asked = useAsked(() => model.reach.arednEntry(), [])
  return (
    <Answer asked={asked} what="the entry">
      {({ name, host, address, port, line }) => (
        <>
          <p>Under Local Services of your node, add a host alias and a service:</p>
          <dl class="facts">
            <div>
              <dt>Host alias</dt>
              <dd>
                <code>{host}</code> for {address ?? 'this server’s machine, which has no network address now'}
              </dd>
            </div>
            <div>
              <dt>Service</dt>
              <dd>
                {name}, <code>http</code>, host <code>{host}</code>, port <code>{port}</code>, path empty
              </dd>
            </div>
          </dl>
          <p class="quiet">The same in one line, as nodes keep it:</p>
          <Copyable text={line} what="the entry" />
        </>
      )}
    </Answer>
  )
}

function Import() {
  const model = useModel()
  const node = useSignal('localnode.local.mesh')
  const found = useSignal<readonly ListedServer[] | null>(null)
  const act = useAct('The node could not be read. Try again.')
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        found.value = null
        void act.run(async () => {
          found.value = await model.reach.importFromNode(node.value)
        })
      }}
    >
      <p>The server asks the node once, and then each ham-server in its list. Those that answer are shown under Servers until the next time, or until you take them off there.</p>
      <Field label="The node" hint="Its name under local.mesh, or its address">
        {(input) => (
          <input
            {...input}
            name="node"
            value={node.value}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={({ currentTarget }) => {
              node.value = currentTarget.value
            }}
          />
        )}
      </Field>
      <div class="buttons">
        <Button type="submit" disabled={act.busy}>
          {act.busy ? 'Asking the node' : 'Read its list'}
        </Button>
      </div>
      <div role="status">
        {act.problem !== null && (
          <Notice kind="danger">
            <p>{act.problem}</p>
          </Notice>
        )}
        {found.value !== null && <p>{found.value.length === 0 ? 'The node lists no other ham-server.' : `The node lists ${count(found.value.length, 'other ham-server')}:`}</p>}
      </div>
      {found.value !== null && found.value.length > 0 && (
        <ul class="networks">
          {found.value.map(({ callsign, url, address }) => (
            <li key={url}>
              <p>
                <Call label={callsign ?? 'Does not answer'} plain={callsign === null} />
              </p>
              <p>
                <a href={url}>{address}</a>
              </p>
            </li>
          ))}
        </ul>
      )}
    </form>
  )
}
