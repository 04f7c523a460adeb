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

test('whoever installed the certificate during a conversation comes back to the button, and takes the invitation along', async () => {
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

test('blacklisting shows whom it would hit, needs the callsign typed, and can be undone', async () => {
  await open('certificate-operator-owner')
  await page.getByRole('button', { name: 'Blacklist', exact: true }).click()
  await page.getByText('1 certificate would lose trust').waitFor()
  await page.getByRole('radio', { name: 'This key and everybody below' }).check()
  await page.getByText('3 certificates would lose trust').waitFor()
  await page.getByLabel('Why').fill('Three callsigns in one evening')
  await page.getByRole('button', { name: 'Blacklist K1ABC' }).click()
  await page.getByText('Type K1ABC to confirm.').waitFor()
  assert.deepEqual(await acts(), [])
  await page.getByRole('textbox', { name: /Type K1ABC/ }).fill('k1abc')
  await page.keyboard.press('Enter')
  await page.getByText('K1ABC is blacklisted.').waitFor()
  const [[act, fingerprint, scope, reason]] = await acts()
  assert.deepEqual([act, scope, reason], ['blacklist', 'subtree', 'Three callsigns in one evening'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('K1ABC is not blacklisted any more.').waitFor()
  assert.deepEqual((await acts())[1], ['unblacklist', fingerprint, 'subtree'])
})

test('a scanned code fills the form, leaves the address, and is used as it came', async () => {
  await open('become-scanned')
  assert.equal(await page.getByRole('textbox', { name: 'Your callsign' }).inputValue(), 'N0XYZ')
  assert.equal(await page.evaluate(() => location.hash), '#/become')
  await page.getByRole('button', { name: 'Use the code' }).click()
  assert.deepEqual(await acts(), [['redeem', { callsign: 'N0XYZ', licenceClass: 'General' }, 'MZXW6YTBOI7A2K4Q']])
})

test('a code that cannot be one is not sent, and the input to mend has the focus', async () => {
  await open('become-missing')
  assert.ok(await page.getByRole('textbox', { name: 'The code' }).evaluate((input) => input === document.activeElement))
  assert.deepEqual(await acts(), [])
})

test('three words are collected by pasting what the operators’ apps show', async () => {
  await open('become-collecting')
  const field = page.getByRole('textbox', { name: 'What the operator’s app shows' })
  await field.fill('73 de W1AW')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByText('This is not what the operator’s app shows').waitFor()
  const keyId = 'ab'.repeat(32)
  const signature = 'A'.repeat(86)
  await field.fill(`Here: https://w1aw.local:8080/#/endorsed/1.${keyId}.${signature}`)
  await page.getByRole('button', { name: 'Add' }).click()
  await page.waitForFunction(() => globalThis.gallery.acts.length > 0)
  assert.deepEqual(await acts(), [['addEndorsement', { keyId, signature }]])
  assert.ok(await page.getByRole('button', { name: 'Hand it in' }).isDisabled())
})

test('an operator gives their word, and gets it as a link to hand back', async () => {
  await open('endorse')
  await page.getByRole('button', { name: 'I met them and saw the licence' }).click()
  await page.getByText(/^https:\/\/w1aw\.local:8080\/#\/endorsed\/1\.[0-9a-f]{64}\.A{86}$/).waitFor()
  await page.getByRole('img', { name: 'QR code: your word for N0XYZ' }).waitFor()
  assert.deepEqual(await acts(), [['endorse', 'N0XYZ']])
})

test('the owner’s code is shown once, in groups and as a link', async () => {
  await open('requests-code')
  assert.equal((await page.locator('.certificates .code-groups').first().textContent()).trim(), 'MZXW 6YTB OI7A 2K4Q')
  await page.getByRole('button', { name: 'Done' }).click()
  assert.equal(await page.locator('.code-groups').count(), 0)
  assert.deepEqual(await acts(), [['makeCode', 'n0xyz', 'General']])
})

test('a long list grows page by page, and a callsign narrows it', async () => {
  await open('certificates-people-many')
  assert.equal(await page.locator('.certificate-rows > li').count(), 100)
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.getByText('That is everybody.').waitFor()
  assert.equal(await page.locator('.certificate-rows > li').count(), 120)
})

test('a root is added only after its fingerprint was ticked', async () => {
  await open('roots-found')
  await page.getByText('Certificate 3 in the file: it is no station’s').waitFor()
  await page.getByRole('checkbox', { name: 'OE1XYZ' }).uncheck()
  await page.getByRole('button', { name: 'They match: add' }).click()
  await page.getByText('Tick what you compared').waitFor()
  assert.deepEqual(await acts(), [])
  await page.getByRole('checkbox', { name: 'OE1XYZ' }).check()
  await page.getByLabel('A note').fill('Read by phone')
  await page.getByRole('button', { name: 'They match: add' }).click()
  await page.getByText('1 root was added.').waitFor()
  await page.getByText('Not added, because nobody here knows who signed it.').waitFor()
  const [[act, note, ...accepted]] = await acts()
  assert.deepEqual([act, note, accepted.length], ['addRoots', 'Read by phone', 1])
})

test('two keys for one callsign are a warning, on the certificate and to the owner who decides', async () => {
  await open('certificate-contested')
  await page.getByText('2 keys claim this callsign').waitFor()
  await page.getByText('or somebody may pretend to be K1ABC').waitFor()
  await open('requests-disputes')
  await page.getByRole('heading', { name: 'Several keys for DL0OO' }).waitFor()
  await page.getByText('2 trusted keys claim it.').waitFor()
})

test('the drawing of who vouches is walked by keyboard, and is a table for who wants one', async () => {
  await open('certificate-trusted')
  const boxes = page.getByRole('region', { name: /^Drawing/ }).getByRole('link')
  assert.equal(await boxes.count(), 5)
  await page.getByRole('button', { name: 'Show as a table' }).click()
  await page.getByRole('cell', { name: 'checked by a document' }).waitFor()
  await page.getByRole('button', { name: 'Show as a drawing' }).click()
  const before = await page.evaluate(() => location.hash)
  await boxes.filter({ hasText: 'N0XYZ' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction((hash) => /^#\/certificate\/[0-9a-f]{64}$/.test(location.hash) && location.hash !== hash, before)
})

test('a key is withdrawn only with its callsign typed', async () => {
  await open('certificates-withdraw')
  assert.deepEqual(await acts(), [])
  await page.getByRole('textbox', { name: /Type W1AW/ }).fill('w1aw')
  await page.getByRole('button', { name: 'Withdraw the key' }).click()
  assert.deepEqual(await acts(), [['withdraw']])
})

test('the owner compares a server’s root before it is trusted, names another and takes it off again', async () => {
  await open('servers')
  const trust = page.getByRole('button', { name: 'It is the same: trust K7RA' })
  assert.equal(await trust.count(), 0)
  await page.getByRole('button', { name: 'Decide about K7RA' }).click()
  await page.getByText('5FEC EB66', { exact: false }).first().waitFor()
  await trust.click()
  await page.getByRole('textbox', { name: 'Add a server' }).fill(' https://192.168.40.3:8080 ')
  await page.getByRole('button', { name: 'Add it' }).click()
  await page.getByRole('button', { name: 'Stop dialling N0XYZ' }).click()
  const root = '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9'
  const server = '4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce'
  assert.deepEqual(await acts(), [['acceptServer', server, root], ['nameServer', 'https://192.168.40.3:8080'], ['unnameServer', '4e']])
})

test('the code of a server that is there already makes comparing needless, for the owner only', async () => {
  await open('servers-net-scanned')
  await page.getByRole('button', { name: 'Trust K7RA' }).click()
  assert.deepEqual((await acts()).map(([act]) => act), ['acceptServer'])
  await open('servers-net-guest')
  await page.getByRole('textbox', { name: /paste a code/ }).fill('http://192.168.1.9:8080/#join')
  await page.getByRole('button', { name: 'Read it' }).click()
  await page.getByText('This leads to the server at').waitFor()
  for (const name of ['Trust K7RA', 'Decide about K7RA', 'Stop dialling N0XYZ', 'Add it']) assert.equal(await page.getByRole('button', { name }).count(), 0, name)
})

test('the owner reads what others advise, sees whom it would hit, and decides; or does not want to see it again', async () => {
  await open('distrust-advice')
  const words = page.getByRole('article', { name: 'DL0OO distrusts K1ABC' })
  await words.getByText('DL0OO’s server is verified. Trusted here now.').waitFor()
  // What is about the owner's own key can only be read.
  const own = page.getByRole('article', { name: 'OE1XYZ distrusts W1AW' })
  assert.equal(await own.getByRole('button', { name: /^Decide/ }).count(), 0)

  await words.getByRole('button', { name: 'Decide about K1ABC, whom DL0OO distrusts' }).press('Enter')
  assert.ok(await words.getByRole('radio', { name: /^This key Whoever/ }).isChecked(), 'as advised')
  await words.getByText('3 certificates would lose trust').waitFor()
  await words.getByRole('radio', { name: /^This certificate/ }).check()
  await words.getByText('1 certificate would lose trust').waitFor()
  assert.deepEqual(await acts(), [], 'nothing happens before it is confirmed')
  await words.getByLabel('Type K1ABC to confirm').fill('K1ABC')
  await words.getByRole('button', { name: 'Blacklist K1ABC' }).click()
  await page.getByText('K1ABC is blacklisted, by your decision.').waitFor()

  await page.getByRole('button', { name: 'Dismiss what Somebody who says to be N0XYZ says about 2E0ABC' }).click()
  await page.getByText('What Somebody who says to be N0XYZ says about 2E0ABC is not shown again.').waitFor()
  const done = await acts()
  assert.deepEqual(done.map(([act]) => act), ['blacklist', 'dismissAdvice'])
  assert.deepEqual(done[0].slice(2), ['certificate', 'DL0OO: Sold the laptop with the key in it, and the new owner has no licence.'])
})

test('the owner publishes the blacklist, and no more', async () => {
  await open('distrust-none')
  await page.getByRole('button', { name: 'Publish my blacklist' }).click()
  await page.waitForFunction(() => globalThis.gallery.acts.length > 0)
  assert.deepEqual(await acts(), [['publishBlacklist', true]])
  await open('distrust-published')
  await page.getByRole('button', { name: 'Stop publishing' }).click()
  await page.waitForFunction(() => globalThis.gallery.acts.length > 0)
  assert.deepEqual(await acts(), [['publishBlacklist', false]])
})

test('who is not the owner sees nobody’s accusations', async () => {
  await open('distrust-operator')
  await page.getByRole('heading', { name: 'My certificate' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Distrust' }).count(), 0)
  assert.equal(await page.getByText('distrusts').count(), 0)
})
