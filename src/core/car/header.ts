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

/** Most roots. A repository has one root, a response of `getBlocks` none. */
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
    throw malformed(`is not DAG-CBOR: get the CAR again; length=${bytes.length}`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, 'version')) {
    throw malformed(`is not a map with a version: use the CAR of a repository; length=${bytes.length}`);
  }
  return value as Readonly<Record<string, unknown>>;
};

/** Returns a supported CID, or `undefined`. */
const asRoot = (value: unknown): CID | undefined => {
  const cid = asCid(value);
  return cid !== undefined && cid.bytes.length === CID_LENGTH && isCidBytes(cid.bytes) ? cid : undefined;
};

/**
 * Encodes a header, without the length that precedes it in a CAR.
 * @throws {TypeError} when a root is not a CIDv1 of dag-cbor or raw with SHA-256.
 */
export const encodeCarHeader = (roots: CID | readonly CID[]): Bytes => {
  const list: readonly unknown[] = Array.isArray(roots) ? roots : [roots];
  if (list.some((root) => asRoot(root) === undefined)) {
    throw new TypeError(
      `expected the roots of a CAR as CIDv1 of dag-cbor or raw with SHA-256; roots=${list.map(String).join(' ').slice(0, 200)}`,
    );
  }
  return encodeCbor({ roots: list, version: 1 });
};

/**
 * Returns the roots of a header, which may be none. In a repository, the first is the commit.
 * @throws {RepoError} `Malformed` when the header breaks the format, has another field or another version;
 *   `LimitExceeded` when it has more than `maxRoots`.
 */
export const decodeCarHeader = (bytes: Uint8Array, maxRoots: number = MAX_CAR_ROOTS): readonly CID[] => {
  const header = decodeMap(bytes);
  const { roots, version } = header;
  if (version === 2) {
    throw malformed('has version 2: convert the CAR to version 1');
  }
  if (version !== 1) {
    throw malformed(
      `has an unsupported version, expected 1: get a CAR of version 1; version=${String(version).slice(0, 80)}`,
    );
  }
  if (!Array.isArray(roots) || Object.keys(header).length !== 2) {
    throw malformed(
      `does not have exactly the fields roots and version: use the CAR of a repository; fields=${Object.keys(header).join(' ').slice(0, 80)}`,
    );
  }
  if (roots.length > maxRoots) {
    throw new RepoError(
      'LimitExceeded',
      `CAR header has too many roots: raise maxRoots to read it; count=${roots.length}, limit=${maxRoots}`,
    );
  }
  return roots.map((value: unknown): CID => {
    const root = asRoot(value);
    if (root === undefined) {
      throw malformed(
        `has a root that is not a CIDv1 of dag-cbor or raw with SHA-256: use the CAR of a repository; root=${String(value).slice(0, 80)}`,
      );
    }
    return root;
  });
};
