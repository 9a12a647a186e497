import { CommandError } from '../terminal/command-error.ts';

/** The two halves of `collection/rkey`. The library checks each; here only the slash is looked for. */
export interface RecordPath {
  readonly collection: string;
  /** Missing for `collection` and `collection/`. */
  readonly rkey: string | undefined;
}

export const parseRecordPath = (text: string): RecordPath => {
  const slash = text.indexOf('/');
  if (slash === -1) {
    return { collection: text, rkey: undefined };
  }
  return { collection: text.slice(0, slash), rkey: text.slice(slash + 1) || undefined };
};

/** @throws {CommandError} `InvalidRequest` when the record key is missing. */
export const parseWholeRecordPath = (text: string): { readonly collection: string; readonly rkey: string } => {
  const { collection, rkey } = parseRecordPath(text);
  if (rkey === undefined) {
    throw new CommandError('InvalidRequest', `expected collection/rkey; path=${text}`);
  }
  return { collection, rkey };
};
