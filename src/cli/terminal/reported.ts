/**
 * Ends a verb with exit code 1 after it has printed its result. The message goes to standard error, without a second
 * JSON value.
 */
export class Reported extends Error {
  override readonly name = 'Reported';
}
