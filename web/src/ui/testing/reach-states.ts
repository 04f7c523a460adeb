/** Ways, networks and diagnosis, in the states a person can meet them in. */
import { ago, owner } from './fake'
import { inOrder, inTheWay, zones } from './fake-reach'
import { click, then } from './hands'
import type { PageState } from './state'

const never = () => new Promise<never>(() => undefined)
const unreachable = async () => {
  throw new Error('The server does not answer. Check that it is switched on and that you are on its network.')
}
const radio = '10.7.7.7 is behind a router, as addresses on an AREDN network are'

export const reachStates: Record<string, PageState> = {
  'diagnosis-busy': { hash: '#/diagnosis', fake: { reach: { diagnose: never } } },
  'diagnosis-in-order': { hash: '#/diagnosis', fake: { reach: { diagnose: async () => inOrder } } },
  'diagnosis-in-the-way': {
    hash: '#/diagnosis/call',
    fake: { reach: { diagnose: async () => inTheWay } },
    after: (page) => then(() => click(page, 'Allow the microphone')),
  },
  'station-networks': { hash: '#/station', fake: { ...owner, internet: { online: true, since: ago(300) } }, after: (page) => then(() => unfold(page)) },
  'station-networks-none': { hash: '#/station', fake: { ...owner, reach: { zones: async () => ({ ...zones, rules: [] }) } } },
  'station-networks-failed': { hash: '#/station', fake: { ...owner, internet: null, reach: { zones: unreachable } } },
  'guest-radio': { hash: '#/', fake: { server: { radio, secureAddress: null } } },
  'station-radio': { hash: '#/station', fake: { server: { radio, secureAddress: null } } },
  'trust-radio': { hash: '#/trust', fake: { server: { radio, secureAddress: null } } },
}

function unfold(page: HTMLElement): void {
  const summary = page.querySelector<HTMLElement>('.networks-add summary')
  if (summary === null) throw new Error('the networks are not there yet')
  summary.click()
}
