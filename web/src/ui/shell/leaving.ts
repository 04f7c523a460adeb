/** Leaving the page would end running transfers: then, and only then, the browser asks first. */
import { useEffect } from 'preact/hooks'
import type { ConversationView, Model } from '../../model'

/** Files of a conversation that are under way. */
export function movingFiles(conversation: ConversationView): number {
  return conversation.entries.filter(
    (entry) => entry.kind === 'file' && (entry.state === 'moving' || entry.state === 'checking'),
  ).length
}

export function useGuardedLeaving(model: Model): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      for (const conversation of model.conversations.peek().values()) {
        if (movingFiles(conversation) > 0) event.preventDefault()
      }
    }
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [model])
}
