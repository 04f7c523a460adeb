/**
 * A browser as people have it. The one that the test tool starts lets no page go out of sight, keeps none in the cache of
 * pages, and slows none down.
 */
import { spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { installed } from '../browser.mjs'
import { bound } from './network.mjs'
import { deadline } from './wait.mjs'

export async function untouchedBrowser(folder) {
  const profile = await mkdtemp(join(folder, 'profile-'))
  const switches = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync']
  const words = bound(installed, ...switches, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank')
  const process = spawn(...words, { stdio: ['ignore', 'ignore', 'pipe'] })
  const browser = await chromium.connectOverCDP(await devtoolsOf(process), { noDefaults: true })
  const [context] = browser.contexts()
  context.setDefaultTimeout(deadline)
  return {
    page: context.pages()[0] ?? (await context.newPage()),
    close: async () => {
      await browser.close()
      process.kill('SIGKILL')
    },
  }
}

function devtoolsOf(process) {
  return new Promise((found, failed) => {
    let said = ''
    process.stderr.on('data', (part) => {
      said += part
      const address = said.match(/^DevTools listening on (\S+)$/m)
      if (address) found(address[1])
    })
    process.once('exit', () => failed(new Error(`the browser ended: ${said}`)))
  })
}
