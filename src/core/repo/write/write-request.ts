/** Names of writes that can be repeated and are applied once. */

/**
 * A name for a write whose result may be lost. The repository records the last 128 names. A repeated write with a
 * recorded name returns the first result and writes nothing.
 */
export interface WriteRequest {
  /** 1 to 40 of `A-Z a-z 0-9 . _ -`. Use it for one write only, and set all record keys of its operations. */
  readonly id: string;
  /**
   * Set on a repeated call. `since` is the head's rev before the first call, or `undefined` if there was no head.
   * Rejects with `OutcomeUnknown` if too many writes happened since then.
   */
  readonly again?: { readonly since: string | undefined } | undefined;
}
