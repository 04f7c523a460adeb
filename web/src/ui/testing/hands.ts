/** What a person does on a page of the gallery after it opened. */

export function click(page: HTMLElement, words: string): void {
  const found = [...page.querySelectorAll<HTMLElement>('button, label, a.button')].find(({ textContent }) => textContent?.includes(words))
  if (found === undefined) throw new Error(`nothing to click says “${words}”`)
  found.click()
}

export function type(page: HTMLElement, name: string, value: string): void {
  const input = page.querySelector<HTMLInputElement>(`[name=${name}]`)
  if (input === null) throw new Error(`no input is named ${name}`)
  input.value = value
  input.dispatchEvent(new Event('input', { bubbles: true }))
}

export function choose(page: HTMLElement, name: string, value: string): void {
  const select = page.querySelector<HTMLSelectElement>(`select[name=${name}]`)
  if (select === null) throw new Error(`no choice is named ${name}`)
  select.value = value
  select.dispatchEvent(new Event('change', { bubbles: true }))
}

/** One after the other, each as soon as the page has what it takes. */
export async function then(...acts: readonly (() => void)[]): Promise<void> {
  for (const act of acts) {
    for (let tries = 0; ; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      try {
        act()
        break
      } catch (error) {
        if (tries > 200) throw error
      }
    }
  }
}
