/** A repository of 100,000 records: the pages that opening it, reading a record and writing a record take. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openNodeBlobs } from '../../src/adapters/blobs/node-blobs.ts';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import { nodeSqliteWasm } from '../../src/adapters/platform/node-sqlite-wasm.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { importKey } from '../../src/core/crypto/signing-key.ts';
import { createRepo } from '../../src/node.ts';
import { DID } from '../../src/testing/repo/harness.ts';
import { hasSqlite3, sqlite3 } from '../adapters/sqlite/open-database.ts';
import type { Counts } from './counted-files.ts';
import { countedFiles } from './counted-files.ts';
import type { SampleCar } from './sample-car.ts';
import { sampleCar } from './sample-car.ts';

const COUNT = 100_000;
const key = importKey('44'.repeat(32));
let directory: string;
let sample: SampleCar;

/** Opens the repository over counted files. The opening resets the counters. */
const openCounted = async (): Promise<{ repo: Repo; counts: Counts }> => {
  const counts: Counts = { readPages: 0, writtenPages: 0, flushes: 0 };
  const platform = {
    wasm: nodeSqliteWasm,
    openFiles: async () => countedFiles(await openNodeFiles(directory), counts),
    openBlobs: () => openNodeBlobs(directory),
  };
  return { repo: await sqliteRepo(platform, { signer: key }), counts };
};

describe(`a repository of ${COUNT} records`, () => {
  beforeAll(async () => {
    directory = join(mkdtempSync(join(tmpdir(), 'pdsdb-large-')), 'repo');
    sample = await sampleCar(COUNT, { did: DID, signer: key });
    const repo = await createRepo(directory, { did: DID });
    const { created, faults } = await repo.importCar(sample.car, { key: key.did() });
    expect([created, faults.length]).toEqual([COUNT, 0]);
    await repo.close();
  }, 600_000);
  afterAll(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

  test('opening it and reading one record reads fewer than 100 pages, and writes none', async () => {
    const { repo, counts } = await openCounted();
    const path = sample.paths[COUNT >> 1]!;
    const [collection, rkey] = path.split('/') as [string, string];
    expect((await repo.get(collection, rkey))?.value.$type).toBe(collection);
    expect(counts.readPages).toBeLessThan(100);
    expect([counts.writtenPages, counts.flushes]).toEqual([0, 0]);
    expect(statSync(join(directory, 'pds.db')).size).toBeGreaterThan(4096 * 5000);
    await repo.close();
  });

  test('a commit of one record writes fewer than 100 pages and flushes at most twice', async () => {
    const { repo, counts } = await openCounted();
    for (let i = 0; i < 20; i++) {
      Object.assign(counts, { readPages: 0, writtenPages: 0, flushes: 0 });
      await repo.put('com.example.note', `n${i}`, { text: `note ${i}` });
      expect(counts.writtenPages).toBeLessThan(100);
      expect(counts.flushes).toBeLessThanOrEqual(2);
    }
    await repo.close();
  });

  test('closed, it has only pds.db and blobs', () => {
    expect(readdirSync(directory).sort()).toEqual(['blobs', 'pds.db']);
  });

  test.skipIf(!hasSqlite3)('closed, sqlite3 reads it (skipped without the sqlite3 command)', () => {
    const ask = (sql: string): string => sqlite3(join(directory, 'pds.db'), sql).join('\n');
    expect(ask('pragma integrity_check')).toBe('ok');
    expect(ask('pragma journal_mode')).toBe('delete');
    expect(
      ask("select group_concat(name, ' ') from (select name from sqlite_schema where type = 'table' order by name)"),
    ).toBe('blocks commits meta refs');
    expect(Number(ask('select count(*) from blocks'))).toBeGreaterThan(COUNT);
    expect(ask("select value from meta where key = 'version'")).toBe('1');
  });

  test('it is sound, and every record is listed', async () => {
    const { repo } = await openCounted();
    const report = await repo.verify();
    expect(report.faults).toEqual([]);
    const tree = await repo.checkout(sample.head);
    let count = 0;
    for await (const { collection, rkey } of tree.entries()) {
      expect(`${collection}/${rkey}`).toBe(sample.paths[count]);
      count += 1;
    }
    expect(count).toBe(COUNT);
    await repo.close();
  }, 300_000);
});
