/** Composition: the engine, the pages, and nothing between them. */
import { render } from 'preact'
import { createModel } from './engine'
import { openOffline } from './offline'
import { App } from './ui/app'
import { ModelContext } from './ui/context'
import { applyTheme } from './ui/theme'

const root = document.getElementById('app')
if (root === null) throw new Error('index.html has no #app')

applyTheme()
openOffline()
render(
  <ModelContext.Provider value={createModel()}>
    <App />
  </ModelContext.Provider>,
  root,
)
