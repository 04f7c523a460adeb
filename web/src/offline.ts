/** Makes the app open without the server, where the browser lets it: on secure pages. */
export function openOffline(): void {
  if (!('serviceWorker' in navigator)) return
  // What shows first loads first.
  addEventListener('load', () => {
    navigator.serviceWorker.register('/sw.js').catch((failure: unknown) => {
      // The app works without; some private windows forbid it, and so does a certificate that was clicked away.
      console.info('The app is not kept for when the server is gone.', failure)
    })
  })
}
