import { RepoError } from '../../index.ts';
import { CommandError } from '../terminal/command-error.ts';

/** The two halves of `collection/rkey`. The library checks each; here only the slash is looked for. */
export interface RecordPath {
  readonly collection: string;
  /** Missing for `collection` and `collection/`. */
  readonly rkey: string | undefined;
}

const SCHEME = 'at://';

/** The path in an `at://` URI of the repository; any other text as it is. */
const pathOf = (text: string, did: string): string => {
  if (!text.startsWith(SCHEME)) {
    return text;
  }
  const [, authority, path] = /^([^/?#]*)\/?(.*)$/s.exec(text.slice(SCHEME.length))!;
  if (authority !== did) {
    throw authority!.startsWith('did:')
      ? new RepoError('WrongDid', `the URI is of another account; expected=${did} found=${authority}`)
      : new CommandError(
          'InvalidRequest',
          `the URI names a handle, and handles are not looked up: write at://${did}/…; uri=${text}`,
        );
  }
  return path!;
};

/**
 * The collection and the record key in `collection/rkey`, `collection`, or the URI of either (`at://did/…`).
 * @param did The account of the repository, which a URI has to name.
 * @throws {RepoError} `WrongDid` for the URI of another account.
 * @throws {CommandError} `InvalidRequest` for a URI that names a handle.
 */
export const parseRecordPath = (text: string, did: string): RecordPath => {
  const path = pathOf(text, did);
  const slash = path.indexOf('/');
  if (slash === -1) {
    return { collection: path, rkey: undefined };
  }
  return { collection: path.slice(0, slash), rkey: path.slice(slash + 1) || undefined };
};

/** As {@link parseRecordPath}. @throws {CommandError} `InvalidRequest` when the record key is missing, too. */
export const parseWholeRecordPath = (
  text: string,
  did: string,
): { readonly collection: string; readonly rkey: string } => {
  const { collection, rkey } = parseRecordPath(text, did);
  if (rkey === undefined) {
    throw new CommandError('InvalidRequest', `expected collection/rkey, or at://did/collection/rkey; path=${text}`);
  }
  return { collection, rkey };
};

/**
 * The collection that a text names, or the URI of one; `undefined` for the URI of the repository (`at://did`).
 * @throws {CommandError} `InvalidRequest` for a record; as {@link parseRecordPath} does.
 */
export const parseCollection = (text: string, did: string): string | undefined => {
  const { collection, rkey } = parseRecordPath(text, did);
  if (rkey !== undefined) {
    throw new CommandError('InvalidRequest', `expected a collection, and this is a record: use get; path=${text}`);
  }
  return collection === '' && text !== '' ? undefined : collection;
};
