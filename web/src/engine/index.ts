/** Starts the engine in a browser's page and hands the pages their model. */
import type { Model } from '../model'
import { Engine } from './engine'
import { readJoinCode } from './join-code'

const NET = 'ham-server-net'

export function createModel(): Model {
  const engine = new Engine({
    origin: location.origin,
    signalUrl: `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/signal`,
    joinCode: readJoinCode(location.hash),
    lastNet: ofTab((storage) => storage.getItem(NET)) ?? null,
    rememberNet: (net) => ofTab((storage) => storage.setItem(NET, net)),
    storage: lasting(),
    isVisible: () => document.visibilityState === 'visible',
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') engine.wake()
  })
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) engine.wake()
  })
  addEventListener('online', () => engine.wake())
  addEventListener('pagehide', ({ persisted }) => {
    if (!persisted) engine.leave()
  })
  addEventListener('beforeunload', (event) => {
    if (engine.isBusy) event.preventDefault()
  })
  void engine.start()
  return engine
}

function lasting(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}

/** Some private windows forbid even the storage of a tab. */
function ofTab<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage)
  } catch {
    return undefined
  }
}
