/** This station: how others reach the server, who we are here, how the app looks, what it is. */
import { useModel } from '../context'
import { Button } from '../parts/button'
import { Choice } from '../parts/field'
import { Fingerprint } from '../parts/fingerprint'
import { Icon } from '../parts/icons'
import { Panel } from '../parts/panel'
import { routeHash } from '../route'
import { PageTitle } from '../shell/page-title'
import { chooseTheme, type Theme, theme, themes } from '../theme'
import { isShareable } from '../words'
import { Poster } from './poster'
import { Aredn } from './reach/aredn'
import { Networks } from './reach/networks'
import { Ways } from './reach/internet'
import { ShareCode } from './share'
import { WhatGuestsMay } from './what-guests-may'
import { WhoMayJoin } from './who-may-join'
import { You } from './you'
import './station.css'

export function Station() {
  const model = useModel()
  const shareable = isShareable(model.server.value)
  const { isOwner } = model.session.value
  return (
    <>
      <div class="page station">
        <PageTitle>Station</PageTitle>
        <Panel title="Share">
          <ShareCode />
          {shareable && (
            <div class="buttons">
              <Button onClick={() => print()}>
                <Icon name="print" />
                Print a poster
              </Button>
            </div>
          )}
        </Panel>
        {isOwner && <WhoMayJoin />}
        {isOwner && <WhatGuestsMay />}
        <Ways />
        {isOwner && <Networks />}
        {isOwner && <Aredn />}
        <You />
        <Appearance />
        <About />
      </div>
      {shareable && <Poster />}
    </>
  )
}

const themeWords: Record<Theme, readonly [label: string, note: string]> = {
  system: ['As the device', 'Light or dark, as your device is set.'],
  light: ['Light', 'For daylight and sun.'],
  dark: ['Dark', 'For a dim room.'],
  night: ['Night', 'Dim red on black, for eyes that are used to the dark.'],
}

function Appearance() {
  return (
    <Panel title="Appearance">
      <fieldset class="themes">
        <legend class="visually-hidden">Appearance</legend>
        {themes.map((name) => (
          <Choice
            key={name}
            type="radio"
            name="theme"
            label={themeWords[name][0]}
            checked={theme.value === name}
            onChoose={() => chooseTheme(name)}
          >
            {themeWords[name][1]}
          </Choice>
        ))}
      </fieldset>
    </Panel>
  )
}

function About() {
  const server = useModel().server.value
  return (
    <Panel title="About">
      <dl class="facts">
        <div>
          <dt>ham-server</dt>
          <dd>{server.version}</dd>
        </div>
        {server.fingerprint !== null && (
          <div>
            <dt>This server’s fingerprint</dt>
            <dd>
              <Fingerprint hex={server.fingerprint} />
            </dd>
          </div>
        )}
        {server.secureAddress !== null && (
          <div>
            <dt>The fingerprint of the certificate for its secure address</dt>
            <dd>
              <Fingerprint hex={server.secureAddress.root} />
            </dd>
          </div>
        )}
      </dl>
      {server.fingerprint !== null && (
        <p class="quiet">
          Another operator compares the groups of the first before trusting this server. Read them aloud, or show this screen.
        </p>
      )}
      {server.secureAddress !== null && (
        <p class="quiet">
          Whoever installs the certificate compares the groups of the second. <a href={routeHash({ page: 'trust' })}>What it is for</a>
        </p>
      )}
    </Panel>
  )
}
