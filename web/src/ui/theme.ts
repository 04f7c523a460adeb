/** Light, dark, or night (dim red on black, for eyes adapted to the dark); `system` follows the device. */
import { effect, signal } from '@preact/signals'

export const themes = ['system', 'light', 'dark', 'night'] as const
export type Theme = (typeof themes)[number]

const key = 'theme'

function stored(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(key)) ?? 'system'
  } catch {
    // Storage may be switched off; the choice then lasts as long as the page.
    return 'system'
  }
}

export const theme = signal<Theme>(stored())

export function chooseTheme(choice: Theme): void {
  theme.value = choice
  try {
    localStorage.setItem(key, choice)
  } catch {
    return
  }
}

/** Puts the choice on the document, now and whenever it changes, and tints the browser's own bars. */
export function applyTheme(): void {
  const tint = () => {
    const bar = document.querySelector<HTMLMetaElement>('meta[name=theme-color]')
    if (bar) bar.content = getComputedStyle(document.documentElement).getPropertyValue('--surface').trim()
  }
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value
    tint()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tint)
}
