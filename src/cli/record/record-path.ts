import { RepoError } from '../../index.ts';
import { CommandError } from '../terminal/command-error.ts';

/** The two parts of `collection/rkey`. The library checks their syntax. */
export interface RecordPath {
  readonly collection: string;
  /** `undefined` for `collection` and `collection/`. */
  readonly rkey: string | undefined;
}

const SCHEME = 'at://';

/** Returns the path in an `at://` URI of the repository. Returns any other text unchanged. */
const pathOf = (text: string, did: string): string => {
  if (!text.startsWith(SCHEME)) {
    return text;
  }
  const [, authority, path] = /^([^/?#]*)\/?(.*)$/s.exec(text.slice(SCHEME.length))!;
  if (authority !== did) {
    throw authority!.startsWith('did:')
      ? new RepoError(
          'WrongDid',
          `the URI belongs to another account: use a URI of this repository; expected=${did} found=${authority}`,
        )
      : new CommandError(
          'InvalidRequest',
          `The URI has a handle, and handles are not resolved. Write at://${did}/…; uri=${text}`,
        );
  }
  return path!;
};

/**
 * Parses `collection/rkey`, `collection`, or the URI of either (`at://did/…`).
 * @param did The account of the repository. A URI must have this DID.
 * @throws {RepoError} `WrongDid` for the URI of another account.
 * @throws {CommandError} `InvalidRequest` for a URI with a handle.
 */
export const parseRecordPath = (text: string, did: string): RecordPath => {
  const path = pathOf(text, did);
  const slash = path.indexOf('/');
  if (slash === -1) {
    return { collection: path, rkey: undefined };
  }
  return { collection: path.slice(0, slash), rkey: path.slice(slash + 1) || undefined };
};

/** As {@link parseRecordPath}. @throws {CommandError} `InvalidRequest` also if the record key is missing. */
export const parseWholeRecordPath = (
  text: string,
  did: string,
): { readonly collection: string; readonly rkey: string } => {
  const { collection, rkey } = parseRecordPath(text, did);
  if (rkey === undefined) {
    throw new CommandError(
      'InvalidRequest',
      `The record key is missing. Write collection/rkey, or at://did/collection/rkey; path=${text}`,
    );
  }
  return { collection, rkey };
};

/**
 * Parses a collection or its URI. Returns `undefined` for the URI of the repository (`at://did`).
 * @throws {CommandError} `InvalidRequest` for a record; the codes of {@link parseRecordPath}.
 */
export const parseCollection = (text: string, did: string): string | undefined => {
  const { collection, rkey } = parseRecordPath(text, did);
  if (rkey !== undefined) {
    throw new CommandError(
      'InvalidRequest',
      `This is the path of a record, not of a collection. To print a record, run pdsdb get; path=${text}`,
    );
  }
  return collection === '' && text !== '' ? undefined : collection;
};
