/** A person's hands and eyes on the app's pages. */
import { keyFile } from './foreign.mjs'
import { deadline } from './wait.mjs'

/** Every page of the test, and the last that went over its WebSockets. */
const opened = new Map()

const lastFrames = 40

export async function openPage(browser) {
  const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 800 } })
  context.setDefaultTimeout(deadline)
  const page = await context.newPage()
  const frames = []
  opened.set(page, frames)
  const note = (way) => (frame) => {
    frames.push(`${new Date().toISOString().slice(11)} ${way} ${String(frame.payload).slice(0, 160)}`)
    frames.splice(0, frames.length - lastFrames)
  }
  page.on('websocket', (socket) => socket.on('framesent', note('>')).on('framereceived', note('<')))
  return page
}

/** What every open page shows, and what went over its WebSockets: for whoever looks why a step failed. */
export async function tellOfPages() {
  for (const [page, frames] of opened) {
    if (page.isClosed()) continue
    const shown = await page.evaluate(() => document.body.innerText).catch((error) => String(error))
    console.error([`--- ${page.url()}`, shown.slice(0, 3000), ...frames].join('\n'))
  }
}

/** Brings an operator's key to a page of the server, trusts the server where the page asks, and shows the people. */
export async function logIn(page, url, operator, password = 'correct horse battery') {
  await page.goto(`${url}/#/station`)
  await page.getByLabel('The .p12 file').setInputFiles(keyFile(operator, password))
  await page.getByLabel('Its password').fill(password)
  await page.getByRole('button', { name: 'Log in with this key' }).click()
  const connected = page.getByText(`Connected as ${operator.callsign}, verified`)
  const unknown = page.getByRole('button', { name: 'They match: trust this server' })
  await connected.or(unknown).waitFor()
  if (await unknown.isVisible()) await unknown.click()
  await connected.waitFor()
  await page.getByRole('link', { name: 'People' }).first().click()
}

export function personIn(page, name) {
  return page.locator('.rows > li').filter({ hasText: name })
}

export async function write(page, text) {
  await page.getByRole('textbox', { name: /^Message to/ }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

export function entry(page, text) {
  return page.getByRole('region', { name: /^Conversation with/ }).getByText(text, { exact: true })
}
