/**
 * Power cuts at every moment of a compaction, in several ways each. The repository keeps its state, and the disk has
 * the old file or the new one. `PDSDB_SEED` sets the first seed.
 */
import { describe, expect, test } from 'vitest';
import { seeded } from '../random/seeded.ts';
import { anyCut, cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import type { StorageKind } from './storage-kind.ts';
import { inOrigin, onDisk } from './storage-kind.ts';
import type { Step } from './workload.ts';
import { close, create, oneMore } from './workload.ts';

const seed = Number(process.env['PDSDB_SEED'] ?? 1);
const COUNT = 150;

const posts = (action: 'create' | 'delete', each: number): Step => ({
  name: `${action} posts`,
  run: ({ repo }) =>
    repo.write(
      Array.from({ length: COUNT / each }, (_, i) => {
        const path = { collection: 'com.example.post', rkey: `post${each * i}` };
        const value = { $type: 'com.example.post', text: `${i} `.repeat(100) };
        return action === 'delete' ? { action, ...path } : { action, ...path, value };
      }),
    ),
});

const compact: Step = { name: 'compact', run: ({ repo }) => repo.gc({ compact: true }) };

const cutCompaction = async <I, E extends { readonly kind: string }>(kind: StorageKind<I, E>): Promise<void> => {
  const steps = [create, posts('create', 1), posts('delete', 2), compact, oneMore('after'), compact, close];
  const recording = await recordRun(kind, steps);
  const counts = noCuts();
  const random = seeded(seed);
  await cutEverywhere(recording, { random, each: 4, again: 0.02, sort: anyCut }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThan(kind.name === onDisk.name ? 300 : 5);
};

describe('a power cut while a repository is compacted', () => {
  test(`of ${onDisk.name}`, { timeout: 600_000 }, () => cutCompaction(onDisk));
  test(`of ${inOrigin.name}`, { timeout: 600_000 }, () => cutCompaction(inOrigin));
});
