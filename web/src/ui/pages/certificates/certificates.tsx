/** Whom this server trusts, and why: our own certificate, people's, what waits for the owner, the roots, the log. */
import { useModel } from '../../context'
import { routeHash, type Section } from '../../route'
import { PageTitle } from '../../shell/page-title'
import { Distrust } from './distrust'
import { CertificateList } from './list'
import { IssuanceLog } from './log'
import { Mine } from './mine'
import { Requests } from './requests'
import { RootsPage } from './roots'
import './certificates.css'

const titles: Record<Section, readonly [tab: string, title: string]> = {
  mine: ['Mine', 'My certificate'],
  people: ['People', 'Certificates of people'],
  requests: ['Decide', 'Waiting for your decision'],
  distrust: ['Distrust', 'Whom you distrust'],
  roots: ['Roots', 'Roots of trust'],
  log: ['Log', 'What this server issued'],
}

/** What only the owner sees. */
const owners: readonly Section[] = ['requests', 'distrust']

export function CertificatesPage({ section }: { section: Section }) {
  const model = useModel()
  const { isOwner } = model.session.value
  const waiting = model.certificates.waiting.value
  const open = owners.includes(section) && !isOwner ? 'mine' : section
  const tabs = (Object.keys(titles) as Section[]).filter((name) => !owners.includes(name) || isOwner)
  return (
    <div class="page certificates">
      <nav class="sections" aria-label="Certificates">
        {tabs.map((name) => (
          <a
            key={name}
            class={name === open ? 'section section-open' : 'section'}
            href={routeHash({ page: 'certificates', section: name })}
            {...(name === open ? { 'aria-current': 'page' as const } : {})}
          >
            {titles[name][0]}
            {name === 'requests' && waiting > 0 && <span class="section-count">{waiting}</span>}
          </a>
        ))}
      </nav>
      <PageTitle>{titles[open][1]}</PageTitle>
      <Content section={open} />
    </div>
  )
}

function Content({ section }: { section: Section }) {
  switch (section) {
    case 'mine':
      return <Mine />
    case 'people':
      return <CertificateList />
    case 'requests':
      return <Requests />
    case 'distrust':
      return <Distrust />
    case 'roots':
      return <RootsPage />
    case 'log':
      return <IssuanceLog />
  }
}
