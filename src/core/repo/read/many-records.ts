/** Reads records of one tree by their paths, with one read per level of the tree and one read of the records. */
import type { CID } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { findValues } from '../../mst/find.ts';
import { pathOf } from '../path.ts';
import { decodeStored } from '../record.ts';
import type { FoundRecord } from '../repo.ts';
import type { StoredRecord } from '../stored-records.ts';
import { readRecords, recordMissing } from './record-bytes.ts';
import type { View } from './records.ts';

/** Most paths of one `getMany`. All records of a call are in memory together. */
export const MAX_GET_PATHS = 10_000;

/**
 * @throws {TypeError} unless it is an array of texts.
 * @throws {RepoError} `LimitExceeded`.
 */
export const assertPaths = (paths: readonly string[]): void => {
  if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string')) {
    throw new TypeError(`expected an array of paths of the form collection/rkey; paths=${String(paths).slice(0, 80)}`);
  }
  if (paths.length > MAX_GET_PATHS) {
    throw new RepoError(
      'LimitExceeded',
      `too many paths in one call: get them in several calls, or use list; limit=${MAX_GET_PATHS} paths=${paths.length}`,
    );
  }
};

/** `getManyStored` of a repository and a tree. */
export const findManyStored = async (view: View, paths: readonly string[]): Promise<(StoredRecord | undefined)[]> => {
  assertPaths(paths);
  const keys = paths.map((path) => pathOf(path, undefined));
  const cids = view.root === undefined || keys.length === 0 ? [] : await findValues(view.nodes, view.root, keys);
  const present = [...cids.keys()].filter((i) => cids[i] !== undefined);
  const records = await readRecords(
    view,
    present.map((i) => cids[i]!),
  );
  const found: (StoredRecord | undefined)[] = keys.map(() => undefined);
  for (const [at, i] of present.entries()) {
    found[i] = storedAt(view, keys[i]!, cids[i]!, records[at]);
  }
  return found;
};

const storedAt = ({ did }: View, path: string, cid: CID, bytes: StoredRecord['bytes'] | undefined): StoredRecord => {
  if (bytes === undefined) {
    throw recordMissing(path, cid);
  }
  return { uri: `at://${did}/${path}`, cid, bytes };
};

/** Decodes records that {@link findManyStored} returned for the same paths. */
export const decodeMany = (
  paths: readonly string[],
  records: readonly (StoredRecord | undefined)[],
): (FoundRecord | undefined)[] =>
  records.map((found, i) => found && { ...found, value: decodeStored(paths[i]!, found.cid, found.bytes) });

/** `getMany` of a repository, a branch and a tree. */
export const findManyRecords = async (view: View, paths: readonly string[]): Promise<(FoundRecord | undefined)[]> =>
  decodeMany(paths, await findManyStored(view, paths));
