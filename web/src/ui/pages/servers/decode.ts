/** Reads QR codes out of pictures: by the browser itself where it can, else by a library that is loaded then. */

/** What a picture is drawn from. */
type Picture = HTMLVideoElement | ImageBitmap

/** The Barcode Detection API, which some browsers have. */
interface NativeDetector {
  detect(picture: CanvasImageSource): Promise<readonly { readonly rawValue: string }[]>
}
interface NativeDetectorClass {
  new (options: { readonly formats: readonly string[] }): NativeDetector
  getSupportedFormats(): Promise<readonly string[]>
}

/** A picture is looked at in at most this size: codes fill much of it, and old phones are slow. */
const MAX_SIDE = 1600

export class Decoder {
  readonly #canvas = document.createElement('canvas')
  readonly #native = nativeDetector()
  readonly #thorough: boolean

  /** `thorough`: for one picture that may take its time, not for a stream of them. */
  constructor(thorough = false) {
    this.#thorough = thorough
  }

  /** The text of the code in a picture, or null when none is found. */
  async read(picture: Picture, width: number, height: number): Promise<string | null> {
    if (width === 0 || height === 0) return null
    const native = await this.#native
    if (native !== null) {
      const [found] = await native.detect(picture).catch(() => [])
      if (found !== undefined) return found.rawValue
    }
    const { default: decode } = await import('qr/decode.js')
    const scale = Math.min(1, MAX_SIDE / Math.max(width, height))
    this.#canvas.width = Math.round(width * scale)
    this.#canvas.height = Math.round(height * scale)
    const context = this.#canvas.getContext('2d', { willReadFrequently: true })
    if (context === null) return null
    context.drawImage(picture, 0, 0, this.#canvas.width, this.#canvas.height)
    try {
      const options = this.#thorough ? { effort: Number.POSITIVE_INFINITY, timeLimit: 3_000 } : {}
      return decode(context.getImageData(0, 0, this.#canvas.width, this.#canvas.height), options)
    } catch {
      // It throws where there is no code.
      return null
    }
  }
}

/** The text of the code in a photo. Rejects when the file is no picture or no code is found in it. */
export async function readPhoto(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file)
  const text = await new Decoder(true).read(picture, picture.width, picture.height)
  picture.close()
  if (text === null) throw new Error('no code')
  return text
}

async function nativeDetector(): Promise<NativeDetector | null> {
  const { BarcodeDetector: Detector } = globalThis as { BarcodeDetector?: NativeDetectorClass }
  try {
    if (Detector === undefined || !(await Detector.getSupportedFormats()).includes('qr_code')) return null
    return new Detector({ formats: ['qr_code'] })
  } catch {
    return null
  }
}
