/**
 * Shows one state of one page, for looking at it and for the tests: `?state=NAME&theme=light|dark|night`.
 * Without a state it lists them. Never part of the app.
 */
import { render } from 'preact'
import { App } from '../app'
import { ModelContext } from '../context'
import { parseRoute, route } from '../route'
import { applyTheme, theme, themes } from '../theme'
import { fakeModel } from './fake'
import { states } from './states'

const root = document.getElementById('app')
if (root === null) throw new Error('gallery.html has no #app')

const query = new URLSearchParams(location.search)
theme.value = themes.find((name) => name === query.get('theme')) ?? 'system'
applyTheme()

const state = states[query.get('state') ?? '']
if (state === undefined) {
  render(<Contents />, root)
} else {
  history.replaceState(null, '', `${location.search}${state.hash}`)
  route.value = parseRoute(state.hash)
  const acts: unknown[] = []
  const { model, say } = fakeModel(state.fake, (...act) => acts.push(act))
  // For the tests: what the page asked of the engine, and a way to make somebody write.
  Object.assign(globalThis, { gallery: { acts, say } })
  render(
    <ModelContext.Provider value={model}>
      <App />
    </ModelContext.Provider>,
    root,
  )
  // A page is drawn in one go; what the person does comes after, and settles by the frame after that.
  setTimeout(async () => {
    await state.after?.(root)
    setTimeout(() => {
      document.documentElement.dataset['settled'] = 'true'
    }, 150)
  })
}

function Contents() {
  return (
    <main class="page">
      <h1>Pages and their states</h1>
      <ul>
        {Object.keys(states).map((name) => (
          <li key={name}>
            <a href={`?state=${name}`}>{name}</a>
          </li>
        ))}
      </ul>
    </main>
  )
}
