/** A camera that sees one picture, for Chromium's `--use-file-for-fake-video-capture`. */
import { writeFile } from 'node:fs/promises'

const width = 640
const height = 480

/** Writes a video (YUV4MPEG2, one frame) of the picture at a URL of the page's own, as a hand holds a phone before it. */
export async function film(page, url, file) {
  const light = await page.evaluate(
    async ([source, wide, high]) => {
      const picture = new Image()
      picture.src = source
      await picture.decode()
      const canvas = new OffscreenCanvas(wide, high)
      const context = canvas.getContext('2d')
      context.fillStyle = '#777'
      context.fillRect(0, 0, wide, high)
      context.translate(wide / 2, high / 2)
      context.rotate(0.06)
      context.drawImage(picture, -170, -170, 340, 340)
      const { data } = context.getImageData(0, 0, wide, high)
      return Array.from({ length: wide * high }, (_, pixel) => data[pixel * 4])
    },
    [url, width, height],
  )
  const colourless = Buffer.alloc((width * height) / 2, 128)
  const head = `YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\nFRAME\n`
  await writeFile(file, Buffer.concat([Buffer.from(head), Buffer.from(light), colourless]))
}
