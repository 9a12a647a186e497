/**
 * Ends a verb with exit code 1 after its answer has said in full what is wrong: a sentence on standard error, and no
 * second JSON value.
 */
export class Reported extends Error {
  override readonly name = 'Reported';
}
