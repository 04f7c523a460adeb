import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Model } from '../model'

/** The one way from a component to the engine. */
export const ModelContext = createContext<Model | null>(null)

export function useModel(): Model {
  const model = useContext(ModelContext)
  if (model === null) throw new Error('rendered outside of the app')
  return model
}
