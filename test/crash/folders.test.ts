/**
 * Backups, restorations, imports of folders and salvages, with power cuts, with failing calls, and without each of
 * their syncs. `PDSDB_FOLDERS` is the share of the moments and of the calls that are tested: 1 for all.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { isRepoError } from '../../src/core/errors.ts';
import { drawShare } from '../random/draw-share.ts';
import { seeded } from '../random/seeded.ts';
import { cutOperation, runOperation } from './folder-cuts.ts';
import { folderOperations, makeBefore } from './folder-operations.ts';
import type { Before, FolderOperation } from './folder-operations.ts';
import type { DiskCall } from './simulated-disk.ts';
import { SimulatedDisk, systemError } from './simulated-disk.ts';
import { unsyncedAtAcks } from './unsynced-at-acks.ts';

const SHARE = Number(process.env['PDSDB_FOLDERS'] ?? 0.05);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

let before: Before;
beforeAll(async () => {
  before = await makeBefore();
});

const byName = folderOperations.map((operation) => [operation.name, operation] as const);

describe.each(byName)('%s', (name, operation) => {
  test(`is complete after its acknowledgement, and leaves a valid state when it is interrupted; ${SHARE} of the moments, seed ${SEED}`, {
    timeout: 3_600_000,
  }, async () => {
    const run = await runOperation(operation, before);
    expect(unsyncedAtAcks(run)).toEqual([]);
    const { cuts, failures } = await cutOperation(operation, run, before, {
      random: seeded(SEED),
      each: 2,
      share: SHARE,
    });
    if (process.env['PDSDB_TABLE'] !== undefined) {
      console.log(`${name}: ${run.log.length} entries, ${cuts} cuts, ${failures.length} failures`);
    }
    expect(failures.slice(0, 5)).toEqual([]);
  });

  test(`rejects with a RepoError when a call fails, and leaves a valid state; ${SHARE} of the calls, seed ${SEED}`, {
    timeout: 3_600_000,
  }, async () => {
    const wrong: string[] = [];
    const { count } = await failAt(operation, Number.POSITIVE_INFINITY, 'once');
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    for (const n of drawShare(numbers, SHARE, seeded(SEED))) {
      for (const mode of ['once', 'from then on'] as const) {
        const { found } = await failAt(operation, n, mode);
        wrong.push(...found.map((sentence) => `call ${n}, ${mode}: ${sentence}`));
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

const failAt = async (
  operation: FolderOperation,
  n: number,
  mode: 'from then on' | 'once',
): Promise<{ found: string[]; count: number }> => {
  const disk = new SimulatedDisk(before.image.copy());
  await operation.arrange?.(disk);
  const found: string[] = [];
  let [count, isDone, failed] = [0, false, ''];
  disk.interfere = (call) => {
    count += 1;
    const fails = count === n || (mode === 'from then on' && count > n);
    failed ||= fails ? `${call.verb} of ${call.path}` : '';
    return fails ? { throws: systemError(n % 2 === 0 ? 'EIO' : 'ENOSPC', 'no') } : undefined;
  };
  try {
    await operation.run(disk, before);
    isDone = true;
  } catch (error) {
    if (!isRepoError(error)) {
      found.push(`${failed}: rejects with ${String(error)}`);
    }
  }
  disk.interfere = () => undefined;
  if (disk.openCount > 0) {
    found.push(`${failed}: ${disk.openCount} files stay open`);
  }
  // If a lock could not be removed, it becomes stale when the process ends.
  disk.kill();
  const wrong = await operation.judge(disk, before, isDone);
  return { found: wrong === undefined ? found : [...found, `${failed}: ${wrong}`], count };
};

interface Mutation {
  readonly name: string;
  readonly operation: string;
  readonly forgets: (call: DiskCall) => boolean;
}

const flushOf =
  (pattern: RegExp) =>
  ({ verb, path }: DiskCall): boolean =>
    verb === 'flush' && pattern.test(path);
/** Matches the n-th sync of a folder through the port `blobs`, from 1. Default: every sync. */
const syncOf = (pattern: RegExp, n?: number): Mutation['forgets'] => {
  let count = 0;
  return ({ verb, port, path }) =>
    verb === 'syncFolder' && port === 'blobs' && pattern.test(path) && (n === undefined || ++count === n);
};

/** Matches the first `n` syncs of a folder through any port: database files sync it too, before their first write. */
const firstSyncsOf = (pattern: RegExp, n: number): Mutation['forgets'] => {
  let count = 0;
  return ({ verb, path }) => verb === 'syncFolder' && pattern.test(path) && ++count <= n;
};

const mutations: readonly Mutation[] = [
  {
    operation: 'a backup',
    name: 'flush of its files',
    forgets: flushOf(/^\/backup\.tmp-[^/]+\/(pds\.db|blobs|manifest)/),
  },
  { operation: 'a backup', name: 'flush of its manifest', forgets: flushOf(/^\/backup\.tmp-[^/]+\/manifest\.json$/) },
  { operation: 'a backup', name: 'sync of its folder', forgets: syncOf(/^\/backup\.tmp-[^/]+$/) },
  { operation: 'a backup', name: 'sync of its blobs/', forgets: syncOf(/^\/backup\.tmp-[^/]+\/blobs$/) },
  { operation: 'a backup', name: 'sync of its blobs/ba/', forgets: syncOf(/^\/backup\.tmp-[^/]+\/blobs\/ba$/) },
  { operation: 'a backup', name: 'sync of the folder that contains it', forgets: syncOf(/^$/) },
  {
    operation: 'a backup in place of another',
    name: 'sync of the folder that contains it, before the old one is removed',
    forgets: syncOf(/^$/, 1),
  },
  { operation: 'a restoration', name: 'sync of the folder that contains it', forgets: syncOf(/^$/) },
  {
    operation: 'a restoration in place of a repository',
    name: 'sync of the folder that contains it, before the old one is removed',
    forgets: syncOf(/^$/, 1),
  },
  { operation: 'the import of a folder', name: 'flush of pds.db', forgets: flushOf(/^\/imported\/pds\.db$/) },
  {
    operation: 'a salvage of what would open',
    name: 'flush of the copy of the database',
    forgets: flushOf(/damaged-[^/]*Z$/),
  },
  {
    operation: 'a salvage of what would open',
    name: 'flush of the copy of its log',
    forgets: flushOf(/damaged-[^/]*-wal$/),
  },
  {
    operation: 'a salvage of what would open',
    name: 'sync of the folder after the copies',
    forgets: firstSyncsOf(/^\/newer$/, 2),
  },
  { operation: 'a salvage of what would open', name: 'flush of the mark', forgets: flushOf(/^\/newer\/pds\.db$/) },
  {
    operation: 'a salvage of what has grown and shrunk',
    name: 'flush of the log that it has emptied',
    forgets: flushOf(/^\/newer\/pds\.db-wal$/),
  },
  {
    operation: 'a salvage of a database with a journal',
    name: 'flush of the journal that it has emptied',
    forgets: flushOf(/^\/newer\/pds\.db-journal$/),
  },
];

test.each(mutations)(
  'without the $name, $operation is not safe',
  { timeout: 600_000 },
  async ({ operation: wanted, forgets }) => {
    const operation = folderOperations.find(({ name }) => name === wanted)!;
    const run = await runOperation(operation, before, forgets);
    const unsynced = unsyncedAtAcks(run);
    const failures =
      unsynced.length > 0
        ? unsynced
        : (await cutOperation(operation, run, before, { random: seeded(SEED), each: 4, share: 1, untilFailure: true }))
            .failures;
    if (process.env['PDSDB_TABLE'] !== undefined) {
      console.log(`${wanted}: ${failures[0]}`);
    }
    expect(failures).not.toEqual([]);
  },
);
