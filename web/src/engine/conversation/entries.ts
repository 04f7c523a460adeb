/** The entries of a conversation: a bounded list, changed by making a new one. */
import type { Entry, FileEntry, TextEntry } from '../../model'

export const MAX_ENTRIES = 500

/** Adds at the end; over the bound the oldest goes that is not in the middle of something. */
export function appended(entries: readonly Entry[], entry: Entry): { entries: readonly Entry[]; dropped: Entry | null } {
  const dropped = entries.length < MAX_ENTRIES ? null : (entries.find((one) => !isRunning(one)) ?? null)
  return { entries: [...entries.filter((one) => one !== dropped), entry], dropped }
}

export function changedText(entries: readonly Entry[], id: string, state: TextEntry['state']): readonly Entry[] {
  return entries.map((entry) => (entry.kind === 'text' && entry.id === id ? { ...entry, state } : entry))
}

export function changedFile(entries: readonly Entry[], id: string, change: Partial<FileEntry>): readonly Entry[] {
  return entries.map((entry) => (entry.kind === 'file' && entry.id === id ? { ...entry, ...change } : entry))
}

/** Leaving the page now would lose something. */
export function isRunning(entry: Entry): boolean {
  return entry.kind === 'file' && (entry.state === 'moving' || entry.state === 'checking')
}

/**
 * The name of an entry within the page. The other end chooses the ids of what it sends, so both ends'
 * ids are kept apart.
 */
export function entryId(mine: boolean, wireId: string): string {
  return `${mine ? 'mine' : 'theirs'}-${wireId}`
}

export function wireIdOf(id: string): string {
  return id.slice(id.indexOf('-') + 1)
}
