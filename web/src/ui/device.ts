/**
 * Which kind of device this is, as far as it matters for trusting a certificate: where its list of
 * trusted certificates is. Only the old user agent string tells; the newer client hints are kept from
 * pages on plain http, which are the ones that ask.
 */
export type Device = 'apple-mobile' | 'android' | 'windows' | 'mac' | 'linux' | 'firefox'

export function deviceOf({ userAgent, maxTouchPoints }: Pick<Navigator, 'userAgent' | 'maxTouchPoints'>): Device {
  const has = (words: RegExp) => words.test(userAgent)
  if (has(/iPhone|iPad|iPod/)) return 'apple-mobile'
  // An iPad asks for desktop pages as if it were a Mac, but no Mac has a touch screen.
  if (has(/Macintosh/) && maxTouchPoints > 1) return 'apple-mobile'
  if (has(/Android/)) return 'android'
  // On desktops it keeps a list of its own.
  if (has(/Firefox\//)) return 'firefox'
  if (has(/Windows/)) return 'windows'
  if (has(/Macintosh/)) return 'mac'
  return 'linux'
}
