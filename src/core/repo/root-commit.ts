/** The commit at the root of a CAR. */
import { decodeCbor } from '../data/cbor-decode.ts';
import type { CID } from '../data/cid.ts';
import { CODEC_RAW, cidToText } from '../data/cid.ts';
import { isPlainMap } from '../data/plain-map.ts';
import { isRepoError, RepoError } from '../errors.ts';
import type { Commit } from './commit.ts';
import { decodeCommit } from './commit.ts';

/** Most characters of an untrusted text in a message. */
const MAX_SHOWN = 80;

/** Returns the kind of a block that is clearly not a commit. */
const kindOf = (cid: CID, bytes: Uint8Array): string | undefined => {
  if (cid.code === CODEC_RAW) {
    return 'raw bytes, such as a blob';
  }
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !isPlainMap(value)) {
    return 'not a map';
  }
  const map = value as Readonly<Record<string, unknown>>;
  if (typeof map['$type'] === 'string') {
    return `a record (${map['$type'].slice(0, MAX_SHOWN)})`;
  }
  if (Array.isArray(map['e']) && 'l' in map) {
    return 'a node of a tree';
  }
  return 'data' in map && 'did' in map ? undefined : 'a map of another kind';
};

/** The error of a CAR without a root. */
export const noRoot = (): RepoError =>
  new RepoError('Malformed', 'the CAR has no root, so it is not a repository: use the CAR of a repository; roots=0');

/** The error of a CAR whose root is missing. */
export const rootMissing = (root: CID): RepoError =>
  new RepoError('BlockNotFound', `the CAR does not contain its root commit: download it again; cid=${cidToText(root)}`);

/**
 * Decodes the commit at the root of a CAR.
 * @throws {RepoError} `Malformed` when the root is not a commit; the message names what it is.
 */
export const decodeRootCommit = (root: CID, bytes: Uint8Array): Commit => {
  const refuse = (kind: string, cause?: unknown): RepoError =>
    new RepoError(
      'Malformed',
      `the root of the CAR is ${kind}, expected a commit: use the CAR of a repository; cid=${cidToText(root)}`,
      {
        cause,
      },
    );
  if (root.code === CODEC_RAW) {
    throw refuse(kindOf(root, bytes)!);
  }
  try {
    return decodeCommit(bytes);
  } catch (error) {
    const kind = isRepoError(error, 'Malformed') ? kindOf(root, bytes) : undefined;
    throw kind === undefined ? error : refuse(kind, error);
  }
};
