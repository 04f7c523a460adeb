/** The document's title tells whose server this is and how much waits to be read. */
import { useSignalEffect } from '@preact/signals'
import type { Model } from '../../model'

export function unreadCount(model: Model): number {
  let sum = 0
  for (const conversation of model.conversations.value.values()) sum += conversation.unread
  return sum
}

export function useTitle(model: Model): void {
  useSignalEffect(() => {
    const { owner, state } = model.server.value
    const unread = unreadCount(model)
    const name = owner !== null ? `${owner} · ham-server` : state === 'unclaimed' ? 'Unclaimed · ham-server' : 'ham-server'
    document.title = unread > 0 ? `(${unread}) ${name}` : name
  })
}
