/** Imports what a host has: the changes since a commit, or the whole repository. */
import { readCar } from '../../core/car/reader.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { cidEquals } from '../../core/data/cid.ts';
import { readAll } from '../../core/data/streams.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { decodeCommit } from '../../core/repo/commit.ts';
import type { ImportOptions, ImportResult } from '../../core/repo/long-work.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { Host } from './host.ts';
import { retrying } from './host.ts';
import { fetchBlocks, fetchRepo, MAX_BLOCKS_IN_CALL, mergeCars } from './fetched-car.ts';

/** Most times that missing blocks are fetched for a CAR. Each time adds a level of the tree, or a newer commit. */
const MAX_ROUNDS = 12;
/** Most missing blocks that are fetched one by one. For more, the whole CAR is fetched again. */
const MAX_MISSING = 2000;
/** Most times that a whole CAR is fetched. */
const MAX_WHOLE_CARS = 3;

/** Returns the rev of the root, or `undefined` if its block is not in the CAR. */
const revOfRoot = (car: Bytes): string | undefined => {
  const { roots, ...blocks } = readCar(car);
  for (const { cid, bytes } of { [Symbol.iterator]: blocks[Symbol.iterator] }) {
    if (roots[0] !== undefined && cidEquals(cid, roots[0])) {
      return decodeCommit(bytes).rev;
    }
  }
  return undefined;
};

/** Returns what an import of a CAR lacks. */
const missingFrom = async (repo: Repo, car: Bytes, options: ImportOptions): Promise<readonly string[]> => {
  try {
    const { missing = [] } = await repo.importCar(car, { ...options, onProgress: undefined, dryRun: true });
    return missing.map(({ cid }) => cid.toString());
  } catch (error) {
    const [root] = readCar(car).roots;
    if (isRepoError(error, 'BlockNotFound') && root !== undefined) {
      return [root.toString()];
    }
    throw error;
  }
};

/** Adds the missing blocks. If the host has removed them since, adds its newer commit. */
const completed = async (host: Host, car: Bytes, missing: readonly string[]): Promise<Bytes | undefined> => {
  const { did, session, signal } = host;
  try {
    const parts: Bytes[] = [];
    for (let i = 0; i < missing.length; i += MAX_BLOCKS_IN_CALL) {
      const cids = missing.slice(i, i + MAX_BLOCKS_IN_CALL);
      parts.push(await retrying(host, () => fetchBlocks(session, did, cids, signal)));
    }
    return mergeCars([car, ...parts]);
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound')) {
      throw error;
    }
  }
  const since = revOfRoot(car);
  if (since === undefined) {
    return undefined;
  }
  const newer = await retrying(host, async () => readAll((await fetchRepo(session, { did, since }, signal)).stream));
  const [root] = readCar(newer).roots;
  const isNewer = root !== undefined && !cidEquals(root, readCar(car).roots[0]!);
  return isNewer ? mergeCars([car, newer]) : undefined;
};

/** Imports a CAR that lacked blocks, with those that the host adds. Returns `undefined` if it cannot be completed. */
const importCompleted = async (
  repo: Repo,
  host: Host,
  torn: Bytes,
  options: ImportOptions,
): Promise<ImportResult | undefined> => {
  let car: Bytes | undefined = torn;
  for (let round = 0; car !== undefined && round < MAX_ROUNDS; round++) {
    const missing = await missingFrom(repo, car, options);
    if (missing.length === 0) {
      return repo.importCar(car, options);
    }
    car = missing.length > MAX_MISSING ? undefined : await completed(host, car, missing);
  }
  return undefined;
};

/** A host that sends something else than a CAR has failed. The same request may succeed later. */
export const asHostFailure = (error: unknown): unknown =>
  isRepoError(error, 'Malformed')
    ? new RepoError('HostFailed', `the host sent a CAR that is not valid: try again later; ${error.message}`, {
        cause: error,
      })
    : error;

/**
 * Imports the changes since `since`, or everything.
 * @returns `undefined` if the CAR lacks blocks that the host does not add: it was written to meanwhile.
 */
const importOnce = async (
  repo: Repo,
  host: Host,
  since: string | undefined,
  options: ImportOptions,
): Promise<ImportResult | undefined> => {
  const car = await fetchRepo(host.session, { did: host.did, since }, host.signal);
  try {
    return await repo.importCar(car.stream, options);
  } catch (error) {
    const bytes = isRepoError(error, 'BlockNotFound') ? car.bytes() : undefined;
    if (bytes === undefined && !isRepoError(error, 'BlockNotFound')) {
      throw asHostFailure(error);
    }
    return bytes === undefined ? undefined : importCompleted(repo, host, bytes, options);
  }
};

/** The result of an import, and whether the whole repository was fetched. */
export interface HostImport {
  readonly imported: ImportResult;
  readonly isWhole: boolean;
}

/**
 * Imports the newest commit of a host. First asks for the changes since `since`, then for blocks that these lack, and
 * only then for the whole repository. Nothing changes before an import is complete and verified.
 * @throws {RepoError} as `Repo.importCar`; `HostUnreachable`, `HostFailed`, `RateLimitExceeded`; the host's errors.
 */
export const importFromHost = async (
  repo: Repo,
  host: Host,
  since: string | undefined,
  options: ImportOptions,
): Promise<HostImport> => {
  const once = (from: string | undefined): Promise<ImportResult | undefined> =>
    retrying(host, () => importOnce(repo, host, from, options));
  if (since !== undefined) {
    const imported = await once(since).catch((error: unknown) => {
      // A host that does not know the rev refuses it, or fails.
      if (isRepoError(error, 'HostRejected') || isRepoError(error, 'HostFailed')) {
        return undefined;
      }
      throw error;
    });
    if (imported !== undefined) {
      return { imported, isWhole: false };
    }
  }
  for (let attempt = 0; attempt < MAX_WHOLE_CARS; attempt++) {
    const imported = await once(undefined);
    if (imported !== undefined) {
      return { imported, isWhole: true };
    }
  }
  throw new RepoError(
    'BlockNotFound',
    `the host's CAR lacked blocks ${MAX_WHOLE_CARS} times, because it changes faster than it is read: try again later; did=${host.did}`,
  );
};
