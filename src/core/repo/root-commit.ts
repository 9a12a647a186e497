/** The commit that a CAR is of. */
import { decodeCbor } from '../data/cbor-decode.ts';
import type { CID } from '../data/cid.ts';
import { CODEC_RAW, cidToText } from '../data/cid.ts';
import { isPlainMap } from '../data/plain-map.ts';
import { isRepoError, RepoError } from '../errors.ts';
import type { Commit } from './commit.ts';
import { decodeCommit } from './commit.ts';

/** What a message shows of a text from outside, in characters. */
const MAX_SHOWN = 80;

/** What the block is, when it is not even nearly a commit. */
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

/**
 * The commit that the root of a CAR names.
 * @throws {RepoError} `Malformed` when it is none; the message says what it is instead.
 */
export const decodeRootCommit = (root: CID, bytes: Uint8Array): Commit => {
  const refuse = (kind: string, cause?: unknown): RepoError =>
    new RepoError('Malformed', `the root of the CAR is ${kind}, where a commit is expected; cid=${cidToText(root)}`, {
      cause,
    });
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
