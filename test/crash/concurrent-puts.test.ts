/** Power cuts while several callers put records: each acknowledged commit is present, and the state is a prefix. */
import { expect, test } from 'vitest';
import type { CID } from '../../src/core/data/cid.ts';
import { seeded } from '../random/seeded.ts';
import { cutEverywhere, noCuts } from './cut-run.ts';
import type { Recording } from './cut-run.ts';
import { NOTHING, readState } from './repo-state.ts';
import type { RepoState } from './repo-state.ts';
import { inOrigin, onDisk, onDiskWithout } from './storage-kind.ts';
import type { StorageKind } from './storage-kind.ts';
import { DID } from './workload.ts';

const PUT = 'com.example.put';
const CALLERS = 9;
const PUTS = 5;
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

/** The state after the commits of this test, which has no other refs, messages or blobs. */
const stateOf = (commits: readonly CID[]): RepoState => ({
  exists: true,
  text: [...commits.slice(-1).map((cid) => `main ${cid}`), ...commits.toReversed().map((cid) => `${cid} `)].join('\n'),
  blobs: new Map(),
});

/** Creates a repository. Then each caller puts one record after the other, without waiting for the other callers. */
const recordPuts = async <I, E extends { readonly kind: string }>(
  kind: StorageKind<I, E>,
): Promise<Recording<I, E> & { readonly commits: readonly CID[] }> => {
  const before = kind.blank();
  const { place, log } = kind.run(kind.copy(before));
  place.mark('start', 1);
  const repo = await place.open(DID);
  place.mark('ack', 1);
  let started = 1;
  const commits: CID[] = [];
  const states = [NOTHING, stateOf([])];
  const call = async (caller: number): Promise<void> => {
    for (let i = 0; i < PUTS; i++) {
      place.mark('start', ++started);
      const text = `${caller} ${i} `.repeat(20 * caller);
      const { commit } = await repo.put(PUT, `${caller}-${i}`, { $type: PUT, text });
      commits.push(commit.cid);
      states.push(stateOf(commits));
      place.mark('ack', commits.length + 1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  expect((await readState(repo)).text).toBe(states.at(-1)!.text);
  await repo.close();
  return { kind, before, log, states, commits };
};

/** The number of syncs of all files. */
const syncsOf = (log: readonly { readonly kind: string }[]): number =>
  log.filter(({ kind }) => kind === 'flush').length;

test('every acknowledged commit survives a cut at every write, on a disk', async () => {
  const recording = await recordPuts(onDisk);
  expect(recording.commits).toHaveLength(CALLERS * PUTS);
  // The puts share syncs, so several commits wait for one.
  expect(syncsOf(recording.log)).toBeLessThan(CALLERS * PUTS);
  const counts = noCuts();
  await cutEverywhere(recording, { random: seeded(SEED), each: 6, again: 0.02 }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThan(100);
});

test('every acknowledged commit survives a cut at every transaction, in the storage of a browser', async () => {
  const counts = noCuts();
  await cutEverywhere(await recordPuts(inOrigin), { random: seeded(SEED), each: 1 }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
});

test('without the sync of the WAL, acknowledged commits are lost', async () => {
  const recording = await recordPuts(onDiskWithout(({ verb, path }) => verb === 'flush' && path.endsWith('-wal')));
  const counts = noCuts();
  await cutEverywhere(recording, { random: seeded(SEED), each: 1, untilFailure: true }, counts);
  expect(counts.failures).not.toEqual([]);
});
