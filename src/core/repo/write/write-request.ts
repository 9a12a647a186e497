/** Writes that can be asked for twice and happen once. */

/**
 * A name for a write that may have to be asked for twice, because its answer can be lost on the way. The repository
 * remembers the last ones; a write that it finds among them is not made again, and answers as it did then.
 */
export interface WriteRequest {
  /** 1 to 40 of `A-Z a-z 0-9 . _ -`, given to one write only, whose operations name their record keys. */
  readonly id: string;
  /**
   * Said when the write is asked for again: a rev that was the head before it was asked for first, `undefined` if there
   * was none. `OutcomeUnknown` when too much has been written since then to tell.
   */
  readonly again?: { readonly since: string | undefined } | undefined;
}
