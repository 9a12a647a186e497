/** Ctrl-C ended work that another run continues. The message says how. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
