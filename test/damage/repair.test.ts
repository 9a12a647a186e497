/** Repairs, their reports, and imports that restore the rest. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRepo, openRepo, salvageRepo } from '../../src/node.ts';
import { DID, KEY, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import type { Sample } from './damaged-repo.ts';
import { changeFile, flipBlock, makeSample, open, sql, verify } from './damaged-repo.ts';

const root = scratchFolder('repair');

const repair = (folder: string, dryRun = false) => open(folder, (repo) => repo.repair({ dryRun }));
const headOf = (folder: string): Promise<string> => open(folder, async (repo) => String((await repo.head())?.cid));
const exported = (folder: string): Promise<Uint8Array> => open(folder, (repo) => readAll(repo.exportCar()));
const actions = (report: { readonly steps: readonly { readonly action: string }[] }): string[] =>
  report.steps.map(({ action }) => action);

/**
 * Repairs. Asserts that a dry run reported the same and changed nothing, and that a second repair finds nothing to do.
 */
const repaired = async (folder: string) => {
  const planned = await repair(folder, true);
  expect(planned.dryRun).toBe(true);
  const done = await repair(folder);
  expect({ ...done, dryRun: true }).toEqual(planned);
  expect((await repair(folder)).steps).toEqual([]);
  return done;
};

describe('blocks', () => {
  test('a damaged record is removed and reported, and the head stays; the next import restores it', async () => {
    const sample = await makeSample(root);
    const car = await exported(sample.folder);
    await flipBlock(sample.folder, sample.record);
    const report = await repaired(sample.folder);
    expect(actions(report)).toEqual(['dropBlock']);
    expect(report).toMatchObject({ whole: false, rev: sample.commits[2]!.rev });
    const request = `/xrpc/com.atproto.sync.getBlocks?did=${encodeURIComponent(DID)}&cids=${String(sample.record)}`;
    expect(report.lost).toMatchObject([{ kind: 'record', path: sample.recordPath, request }]);
    expect(await headOf(sample.folder)).toBe(String(sample.commits[2]!.cid));
    await open(sample.folder, (repo) => repo.importCar(car));
    expect(await verify(sample.folder)).toMatchObject({ ok: true });
    expect(await repair(sample.folder)).toMatchObject({ whole: true, steps: [], lost: [] });
  });

  test('a lost record can be deleted', async () => {
    const sample = await makeSample(root);
    await sql(sample.folder, `delete from blocks where key = '${String(sample.lastRecord)}'`);
    expect((await repaired(sample.folder)).lost).toMatchObject([{ kind: 'record', path: sample.lastPath }]);
    const repo = await openRepo(sample.folder, { signer: KEY });
    await repo.delete(POST, rkeyOf(60));
    expect((await readAll(repo.exportCar())).length).toBeGreaterThan(0);
    expect(await repo.repair()).toMatchObject({ whole: true, lost: [] });
    await repo.close();
  });

  test.each(['root', 'commit'] as const)(
    'with a damaged %s, the newest commit that is whole becomes the head',
    async (what) => {
      const sample = await makeSample(root);
      const car = await exported(sample.folder);
      const [, before, last] = sample.commits;
      await flipBlock(sample.folder, what === 'root' ? last!.data : last!.cid);
      const report = await repaired(sample.folder);
      expect(actions(report)).toEqual(['dropBlock', 'moveHead', 'dropCommit']);
      expect(report).toMatchObject({ whole: true, rev: before!.rev, lost: [{ kind: 'block' }] });
      expect(await headOf(sample.folder)).toBe(String(before!.cid));
      // Writes and imports continue. The lost head is newer than the restored one.
      expect(await open(sample.folder, (repo) => repo.importCar(car))).toMatchObject({ rev: last!.rev });
      expect(await verify(sample.folder)).toMatchObject({ ok: true });
    },
  );

  test('the old head is written down', async () => {
    const sample = await makeSample(root);
    await flipBlock(sample.folder, sample.commits[2]!.data);
    await repair(sample.folder);
    const words = readFileSync(sample.database, 'latin1');
    expect(words).toContain(`{"from":"${String(sample.commits[2]!.cid)}","to":"${String(sample.commits[1]!.cid)}"}`);
  });

  test('where no commit is whole the head stays, what can be read is read, and a later CAR is taken', async () => {
    const sample = await makeSample(root);
    const folder = sample.folder;
    const source = await openRepo(folder, { signer: KEY });
    await source.put(POST, rkeyOf(70), post('later'));
    const later = await readAll(source.exportCar());
    await source.gc({ keep: 1 });
    await source.removeRef('first');
    await source.gc({ keep: 1 });
    const head = (await source.head())!;
    const entries: string[] = [];
    for await (const { rkey } of (await source.checkout()).entries(POST)) {
      entries.push(rkey);
    }
    await source.close();
    await flipBlock(folder, head.data);
    const report = await repaired(folder);
    expect(report).toMatchObject({ whole: false, rev: head.rev, lost: [{ kind: 'block' }] });
    expect(await headOf(folder)).toBe(String(head.cid));
    const elsewhere = await createRepo(`${folder}-elsewhere`, { did: DID, signer: KEY });
    await elsewhere.importCar(later);
    await elsewhere.put(POST, rkeyOf(71), post('later still'));
    const newer = await readAll(elsewhere.exportCar());
    await elsewhere.close();
    expect(await open(folder, (repo) => repo.importCar(newer))).toMatchObject({
      created: entries.length + 1,
      unchanged: 0,
    });
    expect(await open(folder, async (repo) => (await repo.info()).records)).toBe(entries.length + 1);
    await open(folder, (repo) => repo.gc({ keep: 1 }));
    expect(await verify(folder)).toMatchObject({ ok: true });
  });
});

describe('names', () => {
  const onSample = (
    name: string,
    statements: (sample: Sample) => readonly string[],
    wanted: readonly string[],
  ): void => {
    test(name, async () => {
      const sample = await makeSample(root);
      await sql(sample.folder, ...statements(sample));
      expect(actions(await repaired(sample.folder))).toEqual(wanted);
      expect(await verify(sample.folder)).toMatchObject({ ok: true });
      expect(await headOf(sample.folder)).toBe(String(sample.commits[2]!.cid));
      expect(await open(sample.folder, async (repo) => (await repo.info()).commits)).toBe(3);
    });
  };
  onSample('no refs', () => ['delete from refs'], ['moveHead']);
  onSample('no list of commits', () => ['delete from commits'], ['addCommit', 'addCommit', 'addCommit']);
  onSample('neither', () => ['delete from refs', 'delete from commits'], [
    'moveHead',
    'addCommit',
    'addCommit',
    'addCommit',
  ]);
  onSample(
    'invalid rows',
    () => [
      `insert into blocks values ('x', x'00')`,
      `insert into commits values ('y', x'00')`,
      `insert into meta values (null, x'00')`,
    ],
    ['dropRow', 'dropRow', 'dropRow'],
  );
  onSample(
    'a name with a zero behind it',
    () => [`insert into blocks select key || char(0), value from blocks limit 1`],
    ['dropRow'],
  );
  onSample('a head that is not a CID', () => [`update refs set value = x'00' where key = 'main'`], [
    'dropRow',
    'moveHead',
  ]);
  onSample(
    'a head of the past',
    (s) => [`update refs set value = cast('${String(s.commits[0]!.cid)}' as blob) where key = 'main'`],
    ['moveHead'],
  );
  onSample('a ref to nowhere', (s) => [`insert into refs values ('lost', cast('${String(s.blob)}' as blob))`], [
    'dropRef',
  ]);
  onSample(
    'a commit by another rev',
    (s) => [`update commits set key = '3jzfcijpj2z2a' where key = '${s.commits[1]!.rev}'`],
    ['dropCommit', 'addCommit'],
  );
});

describe('blobs', () => {
  test('a damaged one is removed, named with its record, and counts as missing', async () => {
    const sample = await makeSample(root);
    changeFile(sample.blobFile, (bytes) => void (bytes[0]! ^= 1));
    const report = await repaired(sample.folder);
    expect(actions(report)).toEqual(['dropBlob']);
    const request = `/xrpc/com.atproto.sync.getBlob?did=${encodeURIComponent(DID)}&cid=${String(sample.blob)}`;
    expect(report).toMatchObject({ whole: false, lost: [{ kind: 'blob', path: `${POST}/${rkeyOf(50)}`, request }] });
    expect(existsSync(sample.blobFile)).toBe(false);
    await open(sample.folder, async (repo) => {
      const missing: string[] = [];
      for await (const { cid } of repo.missingBlobs()) {
        missing.push(String(cid));
      }
      expect(missing).toEqual([String(sample.blob)]);
      await repo.putBlob(new Uint8Array(5000).fill(3));
    });
    expect(await verify(sample.folder)).toMatchObject({ ok: true });
  });

  test('a symbolic link in the place of one goes, and what it leads to stays', async () => {
    const sample = await makeSample(root);
    const real = join(sample.folder, 'real');
    renameSync(sample.blobFile, real);
    symlinkSync(real, sample.blobFile);
    expect(actions(await repaired(sample.folder))).toEqual(['dropBlob']);
    expect(existsSync(real)).toBe(true);
  });

  test('a folder in the place of one is left for a person to look at', async () => {
    const sample = await makeSample(root);
    rmSync(sample.blobFile);
    mkdirSync(sample.blobFile);
    writeFileSync(join(sample.blobFile, 'letter'), 'dear');
    await expect(repair(sample.folder)).rejects.toMatchObject({
      name: 'RepoError',
      message: expect.stringContaining(String(sample.blob)),
    });
    expect(existsSync(join(sample.blobFile, 'letter'))).toBe(true);
  });
});

describe('a database that SQLite gives up on', () => {
  const salvaged = async (sample: Sample) => {
    const planned = await salvageRepo(sample.folder, { dryRun: true });
    const before = readFileSync(sample.database);
    const report = await salvageRepo(sample.folder);
    expect({ ...report, dryRun: true, keptAs: undefined }).toEqual(planned);
    expect(readFileSync(join(sample.folder, report.keptAs!))).toEqual(before);
    expect(readdirSync(sample.folder).sort()).toEqual(['blobs', 'pds.db', report.keptAs]);
    return report;
  };

  test.each([
    ['without its first page', (bytes: Buffer) => void bytes.fill(0, 0, 4096)],
    ['without its header', (bytes: Buffer) => void bytes.fill(255, 0, 100)],
  ])('%s is salvaged whole', async (_, damage) => {
    const sample = await makeSample(root);
    changeFile(sample.database, damage);
    await expect(openRepo(sample.folder)).rejects.toMatchObject({ code: 'Corrupt' });
    expect(await salvaged(sample)).toMatchObject({ did: DID, commits: 3, refs: 2, damagedBlocks: 0 });
    expect(await verify(sample.folder)).toMatchObject({ ok: true, records: 32 });
    expect(await headOf(sample.folder)).toBe(String(sample.commits[2]!.cid));
    await open(sample.folder, async (repo) => {
      expect((await repo.getBlob(sample.blob))?.type).toBe('image/png');
      expect(await repo.repair()).toMatchObject({ whole: true, steps: [] });
    });
  });

  test.each(['delete from meta', `delete from meta where key = 'did'`, 'drop table refs', 'drop table meta'])(
    'after "%s"',
    async (statement) => {
      const sample = await makeSample(root);
      await sql(sample.folder, statement);
      await expect(openRepo(sample.folder)).rejects.toMatchObject({ code: 'Corrupt' });
      await salvaged(sample);
      expect(await verify(sample.folder)).toMatchObject({ ok: true, records: 32 });
    },
  );

  test('without any one page, salvaged data is right, and the rest is reported', async () => {
    const sample = await makeSample(root);
    const original = readFileSync(sample.database);
    for (let page = 0; page < original.length / 4096; page++) {
      const bytes = Buffer.from(original);
      bytes.fill(0, page * 4096, (page + 1) * 4096);
      writeFileSync(sample.database, bytes);
      const { keptAs } = await salvageRepo(sample.folder);
      rmSync(join(sample.folder, keptAs!));
      const report = await repair(sample.folder);
      const { ok, faults } = await verify(sample.folder);
      // After a repair, only data is missing that the report lists as lost, or the tree of a past commit.
      expect(ok || report.lost.length > 0 || faults.every(({ code }) => code === 'BlockNotFound'), `page ${page}`).toBe(
        true,
      );
      expect(
        faults.filter(({ code }) => code !== 'BlockNotFound'),
        `page ${page}`,
      ).toEqual([]);
    }
  }, 120_000);

  test('data that is only in the WAL is salvaged', async () => {
    const sample = await makeSample(root);
    const repo = await openRepo(sample.folder, { signer: KEY });
    await repo.put(POST, rkeyOf(80), post('in the log'));
    const copy = join(root, 'with-log');
    mkdirSync(copy);
    for (const name of ['pds.db', 'pds.db-wal']) {
      writeFileSync(join(copy, name), readFileSync(join(sample.folder, name)));
    }
    await repo.close();
    changeFile(join(copy, 'pds.db'), (bytes) => void bytes.fill(0));
    changeFile(join(copy, 'pds.db-wal'), (bytes) => void bytes.fill(0, 24, 32));
    const report = await salvageRepo(copy);
    expect(report.blocks).toBeGreaterThan(0);
    expect(readdirSync(copy)).toContain(`${report.keptAs!}-wal`);
  });

  test('no page has a DID', async () => {
    const sample = await makeSample(root);
    changeFile(sample.database, (bytes) => void bytes.fill(0));
    await expect(salvageRepo(sample.folder)).rejects.toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining('Import a CAR'),
    });
    expect(readdirSync(sample.folder).sort()).toEqual(['blobs', 'pds.db']);
  });

  test('an open repository is not salvaged', async () => {
    const sample = await makeSample(root);
    await open(sample.folder, () => expect(salvageRepo(sample.folder)).rejects.toMatchObject({ code: 'Locked' }));
  });
});
