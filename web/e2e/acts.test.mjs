/** What a person does with hands and keys, and what the pages then ask of the engine. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, afterEach, test } from 'node:test'
import { launch } from './browser.mjs'
import { serveGallery } from './gallery.mjs'

let gallery
let browser
let page

before(async () => {
  gallery = await serveGallery()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await gallery?.close()
})

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 360, height: 740 } })
})

afterEach(() => page.close())

const acts = () => page.evaluate(() => globalThis.gallery.acts)
const say = (words) => page.evaluate((said) => globalThis.gallery.say('k1abc', said), words)
const heading = () => page.evaluate(() => document.activeElement?.matches('h1') && document.activeElement.textContent)

async function open(state) {
  await page.goto(`${gallery.url}?state=${state}`)
  await page.waitForFunction(() => document.documentElement.dataset.settled === 'true')
}

test('an operator taps a person: the conversation opens and they are called, once', async () => {
  await open('talk-not-called')
  await page.getByRole('link', { name: 'People' }).first().click()
  await page.getByRole('link', { name: /^K1ABC/ }).click()
  await page.waitForFunction(() => location.hash === '#/with/k1abc')
  assert.deepEqual(await acts(), [['call', 'k1abc']])
  await page.waitForFunction(() => document.activeElement?.matches('h1'))
  assert.equal(await heading(), 'K1ABC')
})

test('a guest finds nothing to press that would not work', async () => {
  await open('guest-busy')
  assert.equal(await page.getByRole('link', { name: /K1ABC/ }).count(), 0)
  assert.equal(await page.getByText('can call you').count(), 2)
})

test('Enter sends, Shift and Enter begins a line, blanks are not sent', async () => {
  await open('talk-empty')
  const line = page.getByRole('textbox', { name: 'Message to K1ABC' })
  await line.fill('   ')
  await line.press('Enter')
  await line.fill('one')
  await line.press('Shift+Enter')
  await line.pressSequentially('two')
  await line.press('Enter')
  assert.deepEqual(await acts(), [['sendText', 'k1abc', 'one\ntwo']])
  assert.equal(await line.inputValue(), '')
})

test('files are sent by choosing and by pasting', async () => {
  await open('talk-empty')
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'File' }).click()
  await (await chooser).setFiles({ name: 'map.png', mimeType: 'image/png', buffer: Buffer.from('map') })
  await page.evaluate(() => {
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File(['log'], 'log.adi'))
    document.querySelector('textarea')?.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  })
  assert.deepEqual(await acts(), [
    ['sendFiles', 'k1abc', 'map.png'],
    ['sendFiles', 'k1abc', 'log.adi'],
  ])
})

test('files are sent by dropping them on the conversation', async () => {
  await open('talk-empty')
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['x'], 'dropped.txt'))
    for (const kind of ['dragover', 'drop'])
      document.querySelector('.talk')?.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }))
  })
  assert.deepEqual(await acts(), [['sendFiles', 'k1abc', 'dropped.txt']])
})

test('the log follows the newest line only while the reader is at the end', async () => {
  await open('talk-text')
  const gap = () => page.evaluate(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.log')
    return scrollHeight - scrollTop - clientHeight
  })
  await say('At the end you see this.')
  await page.getByText('At the end you see this.').first().waitFor()
  assert.ok((await gap()) < 2, 'it followed')

  await page.evaluate(async () => {
    document.querySelector('.log').scrollTop = 0
    // The browser tells the page of it with the next frame.
    for (const _ of [1, 2]) await new Promise(requestAnimationFrame)
  })
  await say('Further up you do not.')
  await page.getByRole('button', { name: 'New below' }).waitFor()
  assert.equal(await page.evaluate(() => document.querySelector('.log').scrollTop), 0)
  await page.getByRole('button', { name: 'New below' }).click()
  await page.getByRole('button', { name: 'New below' }).waitFor({ state: 'detached' })
  assert.ok((await gap()) < 2, 'it went to the end')
})

test('what is not looked at counts in the title and the list, and no longer once it is open', async () => {
  await open('guest-called')
  assert.equal(await page.title(), '(1) W1AW · ham-server')
  await say('Are you there?')
  await page.waitForFunction(() => document.title.startsWith('(2)'))
  await page.getByText('2 unread', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Open the conversation' }).click()
  await page.waitForFunction(() => document.title === 'W1AW · ham-server')
})

test('hanging up asks first while files move', async () => {
  await open('talk-files')
  assert.deepEqual(await acts(), [])
  await page.getByRole('alert').getByRole('button', { name: 'Hang up' }).click()
  assert.deepEqual(await acts(), [['hangUp', 'k1abc']])
})

test('a key is forgotten only with its callsign typed', async () => {
  await open('station-forget')
  assert.deepEqual(await acts(), [])
  await page.getByRole('textbox', { name: /Type W1AW/ }).fill('w1aw')
  await page.getByRole('button', { name: 'Forget the key' }).click()
  assert.deepEqual(await acts(), [['forgetKey']])
})

test('the whole app answers to the keyboard', async () => {
  await open('owner-busy')
  await page.getByRole('searchbox').focus()
  await page.keyboard.type('ki7')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.querySelector('.call')?.textContent), 'KI7IOI')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.hash === '#/with/ki7ioi')
  assert.deepEqual(await acts(), [['call', 'ki7ioi']])
})

test('the choice of appearance outlives the page', async () => {
  await open('station-guest')
  await page.getByRole('radio', { name: 'Night' }).check()
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'night')
  assert.equal(await page.evaluate(() => localStorage.getItem('theme')), 'night')
})

test('a callsign may be odd: the claim page warns and goes on', async () => {
  await open('claim-odd')
  assert.equal(await page.getByText('GB100RSGB is an unusual callsign. If it is yours, go on.').count(), 1)
  await page.getByRole('radio', { name: 'Make a new key' }).check()
  await page.getByRole('button', { name: 'Claim as GB100RSGB' }).click()
  assert.equal(await page.getByRole('alert').count(), 0)
})

test('the way to the secure address follows the device that asks, and others can be chosen', async () => {
  await open('guest-busy')
  await page.getByRole('link', { name: 'The way to the secure address' }).click()
  await page.getByText('Your browser does not trust this server’s address yet.').waitFor()
  await page.getByRole('combobox', { name: 'For' }).selectOption('iPhone or iPad')
  await page.getByText('Your iPhone or iPad does not trust this server’s address yet.').waitFor()
  assert.equal(await page.getByRole('link', { name: 'Download the profile' }).getAttribute('href'), '/trust/ham-server.mobileconfig')
})

test('whoever installed the certificate comes back to the button, and takes the invitation along', async () => {
  await open('trust-returned')
  const go = page.getByRole('link', { name: 'Go to the secure address' })
  await go.waitFor()
  assert.match(await go.getAttribute('href'), /^https:\/\/w1aw\.local:8080\/#join=1\.[0-9a-f]{64}\.hilltop$/)
  assert.ok(await go.evaluate((link) => link === document.activeElement))
})

test('whoever trusts the server already is told so, and not moved', async () => {
  await open('trust-works')
  const go = page.getByRole('link', { name: 'Go to the secure address' })
  await go.waitFor()
  assert.match(await go.getAttribute('href'), /#join=1\.[0-9a-f]{64}$/)
  assert.ok(await go.evaluate((link) => link !== document.activeElement))
})
