/** Who is here, in the order they came, so that nothing moves under a finger. */
import { useComputed, useSignal } from '@preact/signals'
import type { ConversationView, Person } from '../../model'
import { useModel } from '../context'
import { count } from '../format'
import { Icon } from '../parts/icons'
import { PageTitle } from '../shell/page-title'
import { isShareable } from '../words'
import { CallSlot } from './call-slot'
import { PersonRow } from './person-row'
import './people-list.css'

/** Up to here a list is read at a glance. */
const glance = 8

export function PeopleList({ openId }: { openId: string | null }) {
  const model = useModel()
  const query = useSignal('')
  const people = model.people.value
  const { phase, role } = model.session.value
  // A key that is not trusted here makes its holder a guest too, which is known only once connected.
  const guest = model.identity.value === null || (phase === 'connected' && role === 'unlicensed')
  const gone = useComputed(() => absent(model.conversations.value))
  const shown = people.filter((person) => matches(person, query.value))
  const row = (person: Person) => <PersonRow key={person.id} person={person} open={person.id === openId} />

  return (
    <div class="list">
      <div class="list-head">
        {openId === null ? <PageTitle>People</PageTitle> : <h2 class="page-title">People</h2>}
        <p class="list-count">{people.length > 0 ? `${people.length} here` : ''}</p>
      </div>
      {guest && <CallSlot />}
      {(people.length > glance || query.value !== '') && (
        <label class="search">
          <span class="visually-hidden">Search for a callsign</span>
          <Icon name="search" />
          <input
            class="input"
            type="search"
            placeholder="Callsign"
            autocapitalize="characters"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => {
              query.value = event.currentTarget.value
            }}
          />
        </label>
      )}
      {people.length === 0 ? <Nobody /> : <ul class="rows">{shown.map(row)}</ul>}
      {people.length > 0 && shown.length === 0 && (
        <p class="list-note">
          None of the {count(people.length, 'person', 'people')} here has “{query}” in the callsign.
        </p>
      )}
      {gone.value.length > 0 && (
        <>
          <h2 class="engraved list-part">No longer here</h2>
          <ul class="rows">{gone.value.map(row)}</ul>
        </>
      )}
    </div>
  )
}

function Nobody() {
  const model = useModel()
  const { phase, isOwner } = model.session.value
  if (phase !== 'connected') return <p class="list-note">People appear here once there is a connection to the server.</p>
  const server = model.server.value
  const open = server.state === 'active'
  return (
    <div class="list-note">
      <p>Nobody else is here yet.</p>
      {isShareable(server) && isOwner && <p>Let somebody scan the code with a phone’s camera, or type the address. They appear here at once.</p>}
      {!open && <p>Only this machine can use this server: its owner did not open it to the network.</p>}
      {open && server.addresses.length === 0 && isOwner && <p>Once the server’s machine is on a network, people can come in.</p>}
      {open && !isOwner && <p>Whoever opens this server’s address on this network appears here at once.</p>}
    </div>
  )
}

function matches(person: Person, query: string): boolean {
  return person.label.toUpperCase().includes(query.trim().toUpperCase())
}

/** People we talked with who left; what was said stays readable. */
function absent(conversations: ReadonlyMap<string, ConversationView>): readonly Person[] {
  return [...conversations.values()].filter(({ present }) => !present).map(({ peer }) => peer)
}
