/** The Chromium that is installed here, as the tests drive it. */
import { env } from 'node:process'
import { chromium } from 'playwright-core'

export const installed = env.CHROMIUM ?? '/usr/bin/chromium'

/** `executablePath` may name a wrapper that starts it somewhere else; `home` may hold certificates that it trusts. */
export function launch(executablePath = installed, { home = env.HOME, args = [] } = {}) {
  return chromium.launch({
    executablePath,
    env: { ...env, HOME: home },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
}
