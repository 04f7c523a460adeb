import type { Fake } from './fake'

/** A page in a state that a person can meet it in. */
export interface PageState {
  readonly hash: string
  readonly fake: Fake
  /** What the person did after the page opened. */
  readonly after?: (page: HTMLElement) => void | Promise<void>
}
