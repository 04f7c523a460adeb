/** The app's own icons, 24 by 24, drawn in the colour of the text. Always beside words. */
import './icons.css'

const paths = {
  people: 'M8.5 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2 20v-1.5C2 15.5 4.9 14 8.5 14s6.5 1.5 6.5 4.5V20M15.5 4.3a3.5 3.5 0 0 1 0 6.4M18 14.4c2.5.6 4 2 4 4.1V20',
  station: 'M12 11v10M8 21h8M12 11a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM8.1 13.4a5.5 5.5 0 0 1 0-7.8M15.9 5.6a5.5 5.5 0 0 1 0 7.8M5.3 16.2a9.5 9.5 0 0 1 0-13.4M18.7 2.8a9.5 9.5 0 0 1 0 13.4',
  certificates: 'M12 15a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM8.3 13.8 7 21l5-2.6 5 2.6-1.3-7.2',
  servers: 'M4 4h16v6H4ZM4 14h16v6H4ZM7.5 7h.01M7.5 17h.01M11 7h6M11 17h6',
  scan: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16',
  back: 'M15 5l-7 7 7 7',
  attach: 'M19 11.5l-7.6 7.6a5 5 0 0 1-7-7L12.3 4.2a3.3 3.3 0 0 1 4.7 4.7l-7.7 7.7a1.7 1.7 0 0 1-2.4-2.4l7-7',
  send: 'M4 12h14M12 5l7 7-7 7',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 21 21',
  verified: 'M12 2.5 19.5 5v6c0 5-3.2 8.5-7.5 10.5C7.7 19.5 4.5 16 4.5 11V5ZM8.5 11.5l2.5 2.5 4.5-5',
  file: 'M6 3h8l5 5v13H6ZM14 3v5h5',
  save: 'M12 4v11M7 10l5 5 5-5M4 20h16',
  print: 'M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7Z',
  open: 'M9 5l7 7-7 7',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
