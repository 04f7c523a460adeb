/**
 * Where a received file goes: straight into a file the person chose, where the browser can, else into
 * memory up to a stated limit.
 */
import type { Bytes } from '../bytes'

export interface Sink {
  /** What it has taken stays in memory after it is finished. */
  readonly inMemory: boolean
  write(bytes: Bytes): Promise<void>
  /** Everything is there and right. A blob when it is held in memory. */
  finish(): Promise<Blob | null>
  abort(): Promise<void>
}

const MEGABYTE = 1000 * 1000
/** Below this a save dialog before the transfer is more trouble than a link after it. */
const ASK_FROM = 64 * MEGABYTE
const MEMORY_LIMIT = 512 * MEGABYTE
/** iOS ends pages that hold more. */
const MEMORY_LIMIT_IOS = 200 * MEGABYTE
/** Bytes are handed to the browser's blob storage in pieces of this size. */
const PIECE = 4 * 1024 * 1024

/** A page or an image with scripts, opened from memory, would be a page of this origin. */
const HARMLESS = /^(image\/(png|jpeg|gif|webp|avif)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/

type SavePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>

/** Only in secure contexts, and not in every browser. */
function savePicker(): SavePicker | null {
  const picker = (globalThis as { showSaveFilePicker?: SavePicker }).showSaveFilePicker
  return picker ? picker.bind(globalThis) : null
}

/** Why a file of this size cannot be received, or null. `held` is what received files occupy already. */
export function tooLarge(size: number, held: number, limit = memoryLimit()): string | null {
  if ((savePicker() && size >= ASK_FROM) || size + held <= limit) return null
  const left = Math.max(0, Math.floor((limit - held) / MEGABYTE))
  return size > limit
    ? `This browser keeps received files in memory, at most ${limit / MEGABYTE} MB. Ask for it in smaller parts, or receive it in Chrome or Edge over the secure address.`
    : `This page already holds ${Math.ceil(held / MEGABYTE)} MB of received files, and has room for ${left} MB. Save them and reload the page, then ask for it again.`
}

/** Null when the person closed the save dialog. Must be called from a click. */
export async function openSink(name: string, size: number, mediaType: string): Promise<Sink | null> {
  const picker = savePicker()
  if (!picker || size < ASK_FROM) return new MemorySink(mediaType)
  try {
    const handle = await picker({ suggestedName: name })
    return new DiskSink(await handle.createWritable())
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null
    throw error
  }
}

export class MemorySink implements Sink {
  readonly inMemory = true
  readonly #mediaType: string
  #pieces: Blob[] = []
  #loose: Bytes[] = []
  #looseSize = 0

  constructor(mediaType: string) {
    this.#mediaType = mediaType
  }

  async write(bytes: Bytes): Promise<void> {
    this.#loose.push(bytes)
    this.#looseSize += bytes.length
    if (this.#looseSize >= PIECE) this.#gather()
  }

  async finish(): Promise<Blob> {
    this.#gather()
    return new Blob(this.#pieces, { type: HARMLESS.test(this.#mediaType) ? this.#mediaType : 'application/octet-stream' })
  }

  async abort(): Promise<void> {
    this.#pieces = []
    this.#loose = []
  }

  #gather(): void {
    this.#pieces.push(new Blob(this.#loose))
    this.#loose = []
    this.#looseSize = 0
  }
}

/** The browser writes beside the chosen file and replaces it only when finished. */
class DiskSink implements Sink {
  readonly inMemory = false
  readonly #file: FileSystemWritableFileStream

  constructor(file: FileSystemWritableFileStream) {
    this.#file = file
  }

  write(bytes: Bytes): Promise<void> {
    return this.#file.write(bytes)
  }

  async finish(): Promise<null> {
    await this.#file.close()
    return null
  }

  abort(): Promise<void> {
    return this.#file.abort()
  }
}

function memoryLimit(): number {
  const { userAgent, maxTouchPoints } = navigator
  // An iPad calls itself a Macintosh; no Macintosh has a touch screen.
  const ios = /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)
  return ios ? MEMORY_LIMIT_IOS : MEMORY_LIMIT
}
