/** Draws the icons that must be pixels, from public/favicon.svg. Run after changing it. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { launch } from '../e2e/browser.mjs'

const folder = fileURLToPath(new URL('../public/', import.meta.url))
const svg = await readFile(`${folder}favicon.svg`, 'utf8')
const full = svg.replace(/ rx="\d+"/, '')

/** Rounded where the icon is shown as it is; to the edges where the system cuts its own shape. */
const icons = [
  { name: 'icon-192', size: 192, drawing: svg, scale: 1 },
  { name: 'icon-512', size: 512, drawing: svg, scale: 1 },
  { name: 'apple-touch-icon', size: 180, drawing: full, scale: 0.85 },
  // A maskable icon may lose all but the inner 80 %.
  { name: 'icon-maskable-512', size: 512, drawing: full, scale: 0.75 },
]

const browser = await launch()
const page = await browser.newPage()
for (const { name, size, drawing, scale } of icons) {
  const image = `data:image/svg+xml,${encodeURIComponent(drawing)}`
  const ground = scale < 1 ? '#0b0f0c' : 'transparent'
  await page.setViewportSize({ width: size, height: size })
  await page.setContent(
    `<body style="margin:0;display:grid;place-items:center;height:100vh;background:${ground}"><img src="${image}" width="${size * scale}" height="${size * scale}">`,
  )
  await page.waitForFunction(() => document.images[0]?.complete)
  await writeFile(`${folder}${name}.png`, await page.screenshot({ omitBackground: true }))
}
await browser.close()
