/** Something that did not work, in a sentence a person can act on. */
export class Problem extends Error {
  override readonly name = 'Problem'
}
