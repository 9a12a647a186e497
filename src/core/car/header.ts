/**
 * The header of a CAR, version 1: canonical DAG-CBOR of `{ roots: [CID, …], version: 1 }`.
 * https://ipld.io/specs/transport/car/carv1/#header
 */
import type { Bytes } from '../data/bytes.ts';
import { decodeCbor } from '../data/cbor-decode.ts';
import { encodeCbor } from '../data/cbor-encode.ts';
import type { CID } from '../data/cid.ts';
import { asCid, CID_LENGTH, isCidBytes } from '../data/cid.ts';
import { isRepoError, RepoError } from '../errors.ts';

/** A repository has one root and an answer of `getBlocks` none. More than a few are an attempt at something. */
export const MAX_CAR_ROOTS = 64;

const malformed = (message: string, cause?: unknown): RepoError =>
  new RepoError('Malformed', `CAR header ${message}`, cause === undefined ? undefined : { cause });

const decodeMap = (bytes: Uint8Array): Readonly<Record<string, unknown>> => {
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    throw malformed('is not DAG-CBOR', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, 'version')) {
    throw malformed('is not a map with a version');
  }
  return value as Readonly<Record<string, unknown>>;
};

/** Of the blessed kind, or `undefined`. */
const asRoot = (value: unknown): CID | undefined => {
  const cid = asCid(value);
  return cid !== undefined && cid.bytes.length === CID_LENGTH && isCidBytes(cid.bytes) ? cid : undefined;
};

/**
 * The CBOR of a header, without the length that goes before it in a CAR.
 * @throws {TypeError} when a root is not a CID of the blessed kind.
 */
export const encodeCarHeader = (roots: CID | readonly CID[]): Bytes => {
  const list: readonly unknown[] = Array.isArray(roots) ? roots : [roots];
  if (list.some((root) => asRoot(root) === undefined)) {
    throw new TypeError('a root of a CAR must be a CIDv1 of dag-cbor or raw with SHA-256');
  }
  return encodeCbor({ roots: list, version: 1 });
};

/**
 * The roots that a header names: in a repository, the first is the commit. There may be none.
 * @throws {RepoError} `Malformed` when it breaks the format, has another field or is of another version;
 *   `LimitExceeded` when it names more than `maxRoots`.
 */
export const decodeCarHeader = (bytes: Uint8Array, maxRoots: number = MAX_CAR_ROOTS): readonly CID[] => {
  const header = decodeMap(bytes);
  const { roots, version } = header;
  if (version === 2) {
    throw malformed('is of version 2, and only CARs of version 1 are read');
  }
  if (version !== 1) {
    throw malformed('has a version that is not 1');
  }
  if (!Array.isArray(roots) || Object.keys(header).length !== 2) {
    throw malformed('does not have a list of roots and a version, and nothing else');
  }
  if (roots.length > maxRoots) {
    throw new RepoError('LimitExceeded', `CAR header has too many roots; count=${roots.length}, limit=${maxRoots}`);
  }
  return roots.map((value: unknown): CID => {
    const root = asRoot(value);
    if (root === undefined) {
      throw malformed('has a root that is not a CIDv1 of dag-cbor or raw with SHA-256');
    }
    return root;
  });
};
