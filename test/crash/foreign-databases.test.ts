/**
 * Cuts with another program: databases that another program has made, and a program that opens the disk after a cut.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../src/adapters/platform/node-sqlite-wasm.ts';
import { createSqliteBlockStore } from '../../src/adapters/sqlite/open-block-store.ts';
import { MemoryFiles } from '../../src/testing/files/memory-files.ts';
import { loadSqlite } from '../../src/wasm/database/sqlite.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { seeded } from '../random/seeded.ts';
import { anyCut, cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import { DiskImage } from './disk-image.ts';
import { FOLDER } from './place.ts';
import { PowerCut } from './power-cut.ts';
import { NOTHING } from './repo-state.ts';
import { onDisk } from './storage-kind.ts';
import { close, create, DID, oneMore, open } from './workload.ts';

const SHARE = Number(process.env['PDSDB_FOREIGN'] ?? 0.3);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

/** The write version and the read version in the header. 2 is WAL mode, which other programs leave in the file. */
const VERSIONS = { at: 18, logged: new Uint8Array([2, 2]) };

/** A disk with an empty repository, whose pages have this size. */
const foreignDisk = async (pageSize: number, logged: boolean): Promise<DiskImage> => {
  const files = new MemoryFiles();
  const database = (await loadSqlite(await nodeSqliteWasm())).open(files);
  database.exec(`pragma page_size=${pageSize}`);
  await (await createSqliteBlockStore(database, files, DID)).close();
  const bytes = files.main.bytes();
  if (logged) {
    bytes.set(VERSIONS.logged, VERSIONS.at);
  }
  const image = new DiskImage();
  image.leaveFolder(FOLDER);
  image.leave(`${FOLDER}/pds.db`, bytes);
  return image;
};

test.each([
  ['pages of 1 KiB', 1024, false],
  ['pages of 64 KiB', 65_536, false],
  ['a header that says it has a log', 4096, true],
  ['pages of 512 bytes and such a header', 512, true],
] as const)(`with %s, cuts lose nothing; seed ${SEED}`, { timeout: 600_000 }, async (_, pageSize, logged) => {
  const random = seeded(SEED);
  const before = await foreignDisk(pageSize, logged);
  const state = { ...NOTHING, exists: true };
  const steps = [open, oneMore('one'), oneMore('two'), close, open, oneMore('three'), close];
  const recording = await recordRun(onDisk, steps, { before, state });
  const counts = noCuts();
  await cutEverywhere(recording, { random, each: 2, share: SHARE }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
  expect(counts.cuts).toBeGreaterThan(0);
});

test(`replacing the header of another program does not risk its page; seed ${SEED}`, {
  timeout: 600_000,
}, async () => {
  const random = seeded(SEED);
  const recording = await recordRun(onDisk, [open, close], {
    before: await foreignDisk(4096, true),
    state: { ...NOTHING, exists: true },
  });
  const counts = noCuts();
  const sort = (): ReturnType<typeof anyCut> => ({ ...anyCut(random), data: 'some', damagesNeighbours: true });
  await cutEverywhere(recording, { random, each: 20, sort }, counts);
  expect(counts).toMatchObject({ lost: 0, corrupt: 0, failures: [] });
});

const hasSqlite = ((): boolean => {
  try {
    execFileSync('sqlite3', ['--version']);
    return true;
  } catch {
    // The command is missing: the test is skipped with a reason.
    return false;
  }
})();

test.skipIf(!hasSqlite)(
  `sqlite3 reads the disk after a cut, with the plain header and the WAL; seed ${SEED} (needs the sqlite3 command)`,
  { timeout: 600_000 },
  async () => {
    const scratch = scratchFolder('foreign');
    const random = seeded(SEED);
    const recording = await recordRun(onDisk, [create, oneMore('one'), oneMore('two'), close, open, oneMore('three')]);
    const heads = recording.states.map(({ text }) => /^main (.*)$/m.exec(text)?.[1] ?? '');
    const power = new PowerCut(recording.before);
    let [acknowledged, started, withLog] = [0, 0, 0];
    for (const entry of recording.log) {
      power.follow(entry);
      started += entry.kind === 'start' ? 1 : 0;
      acknowledged += entry.kind === 'ack' ? 1 : 0;
      if (acknowledged === 0 || random() >= SHARE) {
        continue;
      }
      const image = power.image(anyCut(random), random);
      const folder = fs.mkdtempSync(join(scratch, 'cut-'));
      for (const name of ['pds.db', 'pds.db-journal', 'pds.db-wal']) {
        const bytes = image.read(`${FOLDER}/${name}`);
        if (bytes !== undefined) {
          fs.writeFileSync(join(folder, name), bytes);
        }
      }
      withLog += (image.read(`${FOLDER}/pds.db-wal`)?.length ?? 0) > 0 ? 1 : 0;
      const query = `pragma integrity_check; select value from refs where key = 'main';`;
      const [check, head = ''] = execFileSync('sqlite3', [join(folder, 'pds.db'), query], { encoding: 'utf8' })
        .trim()
        .split('\n');
      expect(check).toBe('ok');
      expect([heads[acknowledged], heads[started]]).toContain(head);
    }
    expect(withLog).toBeGreaterThan(0);
  },
);
