/** Hands a file to the browser's own download. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has begun to read by the next minute; the address is not needed after that.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
