/** A person's hands and eyes on the app's pages. */
import { deadline } from './wait.mjs'

export async function openPage(browser) {
  const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 800 } })
  context.setDefaultTimeout(deadline)
  return context.newPage()
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
