/**
 * Every page in every state, on a phone and on a desktop, in light, dark and night: no accessibility
 * violation that axe finds, nothing wider than the screen, and a silent console.
 *
 * `SCREENSHOTS=DIR` also keeps a picture of each; `STATES=a,b` visits only those.
 */
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { after, before, test } from 'node:test'
import { launch } from './browser.mjs'
import { serveGallery } from './gallery.mjs'

const sizes = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } }
const themes = ['light', 'dark', 'night']

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = env.SCREENSHOTS

let gallery
let browser
let names

before(async () => {
  gallery = await serveGallery()
  browser = await launch()
  if (pictures) await mkdir(pictures, { recursive: true })
  const page = await browser.newPage()
  await page.goto(gallery.url)
  await page.waitForSelector('li a')
  const all = await page.locator('li a').allTextContents()
  names = env.STATES ? all.filter((name) => env.STATES.split(',').includes(name)) : all
  await page.close()
})

after(async () => {
  await browser?.close()
  await gallery?.close()
})

for (const [size, viewport] of Object.entries(sizes)) {
  test(`pages on a ${size}`, { concurrency: availableParallelism() }, async (t) => {
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Berlin' })
    const judged = names.map((name) =>
      t.test(name, async () => {
        const page = await context.newPage()
        try {
          await judge(page, name, size)
        } finally {
          await page.close()
        }
      }),
    )
    await Promise.all(judged)
    await context.close()
  })
}

async function judge(page, name, size) {
  const complaints = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))

  await page.goto(`${gallery.url}?state=${name}&theme=${themes[0]}`)
  await page.waitForFunction(() => document.documentElement.dataset.settled === 'true')
  await page.evaluate(axe)

  for (const theme of themes) {
    await page.evaluate((chosen) => {
      document.documentElement.dataset.theme = chosen
    }, theme)
    if (pictures) await picture(page, `${name}.${size}.${theme}`)
    // A theme changes colours only: the rest is judged once.
    const options = theme === themes[0] ? {} : { runOnly: ['color-contrast'] }
    assert.deepEqual(await violations(page, 'body', options), [], `in ${theme}`)
    // Callsigns and states are read in sunlight: 7:1 rather than 4.5:1.
    assert.deepEqual(await violations(page, '.call, .state-words', { runOnly: ['color-contrast-enhanced'] }), [], `in ${theme}`)
  }

  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(wide <= screen, `the page is ${wide} wide on a screen of ${screen}`)
  // On a desktop the page scrolls within its frame, and the window not into emptiness below it.
  const [high, frame] = await page.evaluate(() => [document.documentElement.scrollHeight, document.querySelector('.shell') && innerWidth >= 840 ? innerHeight : Number.POSITIVE_INFINITY])
  assert.ok(high <= frame, `the window scrolls over ${high} in a frame of ${frame}`)
  assert.deepEqual(complaints, [])
}

async function violations(page, where, options) {
  const found = await page.evaluate(
    ([selector, given]) => {
      const elements = [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility())
      return elements.length > 0 ? globalThis.axe.run(elements, { ...given, resultTypes: ['violations'] }) : { violations: [] }
    },
    [where, options],
  )
  return found.violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
}

async function picture(page, name) {
  await page.screenshot({ path: join(pictures, `${name}.png`) })
  const tall = await page.evaluate(() => document.documentElement.scrollHeight > innerHeight + 40)
  if (tall) await page.screenshot({ path: join(pictures, `${name}.full.png`), fullPage: true })
}
