/** Numbers and times as a person reads them. Pure; the locale and time zone are the device's unless given. */

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** `17 bytes`, `1.4 MB`, `20 MB`: decimal units, at most three digits that matter. */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  // 999.5 would be rounded up to 1000: it belongs to the next unit.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  if (unit === 0) return count === 1 ? '1 byte' : `${count} bytes`
  const rounded = value < 9.95 ? Math.round(value * 10) / 10 : Math.round(value)
  return `${rounded} ${units[unit]}`
}

export function speed(bytesPerSecond: number): string {
  return `${bytes(Math.round(bytesPerSecond))}/s`
}

/** `about 5 s left`; coarse on purpose, so that it does not flicker. */
export function timeLeft(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return 'time left not known yet'
  if (seconds < 1) return 'almost done'
  if (seconds < 90) return `about ${Math.ceil(seconds)} s left`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 90) return `about ${minutes} min left`
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  return rest === 0 ? `about ${hours} h left` : `about ${hours} h ${rest} min left`
}

/** `heard just now`, `heard 20 s ago`, `heard 3 days ago`; coarse on purpose, so that it does not flicker. */
export function heardAgo(seconds: number): string {
  if (seconds < 10) return 'heard just now'
  if (seconds < 60) return `heard ${Math.floor(seconds / 10) * 10} s ago`
  if (seconds < 2 * 3_600) return `heard ${Math.floor(seconds / 60)} min ago`
  if (seconds < 2 * 86_400) return `heard ${Math.floor(seconds / 3_600)} h ago`
  return `heard ${Math.floor(seconds / 86_400)} days ago`
}

/** Where and how times are shown; tests name them, the app leaves them to the device. */
export interface Place {
  readonly locale?: string
  readonly timeZone?: string
}

/** `14:02` today, `Mon 14:02` within the week, `12 Mar, 14:02` before that. */
export function clock(at: number, now: number, { locale, timeZone }: Place = {}): string {
  const zone = timeZone === undefined ? {} : { timeZone }
  const show = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, ...zone }).format(at)
  const day = (time: number) => new Intl.DateTimeFormat('en-CA', zone).format(time)
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
  if (day(at) === day(now)) return show(time)
  const days = Math.abs(now - at) / 86_400_000
  if (days < 6) return show({ weekday: 'short', ...time })
  return show({ day: 'numeric', month: 'short', ...time })
}

/** `14:02 UTC`, or null where local time is UTC and saying it twice helps nobody. */
export function utcClock(at: number, { timeZone }: Place = {}): string | null {
  const show = (zone: string | undefined) =>
    new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      ...(zone === undefined ? {} : { timeZone: zone }),
    }).format(at)
  const utc = show('UTC')
  return utc === show(timeZone) ? null : `${utc} UTC`
}

/** Whole seconds until `at`, never below zero. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000))
}

/** A fingerprint as people compare it: upper case in groups of four. */
export function fingerprintGroups(hex: string): readonly string[] {
  return hex.toUpperCase().match(/.{1,4}/g) ?? []
}

/** `K1ABC, K7RA and N0XYZ`. */
export function listed(names: readonly string[]): string {
  const before = names.slice(0, -1).join(', ')
  const last = names.at(-1) ?? ''
  return before === '' ? last : `${before} and ${last}`
}

/** A plain count with its noun: `1 file`, `2 files`. */

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
