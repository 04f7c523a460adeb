/** The Chromium that is installed here, as the tests drive it. */
import { env } from 'node:process'
import { chromium } from 'playwright-core'

export const installed = env.CHROMIUM ?? '/usr/bin/chromium'

/** `executablePath` may name a wrapper that starts it somewhere else. */
export function launch(executablePath = installed) {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
