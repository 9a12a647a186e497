/** What a reader returns for files after a crash, and for files of another program. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase, openRepo } from '../../src/node.ts';
import { collect, killed, makeRepo, newFolder, POST, readEverything, stateOf } from './read-everything.ts';

const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });

describe('after a crash', () => {
  test('a WAL is applied in memory', async () => {
    const folder = await killed();
    expect(fs.statSync(join(folder, 'pds.db-wal')).size).toBeGreaterThan(0);
    const before = stateOf(folder);
    const reader = await openRepo(folder, { readOnly: true });
    const seen = await readEverything(reader);
    await reader.close();
    expect(stateOf(folder)).toEqual(before);
    await using repo = await openRepo(folder);
    expect(seen).toEqual(await readEverything(repo));
    expect(seen).toMatchObject({ verify: { ok: true } });
  });

  test('a WAL with a damaged end shows the commits before', async () => {
    const folder = await killed();
    const wal = join(folder, 'pds.db-wal');
    fs.truncateSync(wal, fs.statSync(wal).size - 100);
    const reader = await openRepo(folder, { readOnly: true });
    const seen = await readEverything(reader);
    await reader.close();
    await using repo = await openRepo(folder);
    expect(seen).toEqual(await readEverything(repo));
  });

  test('a hot journal is applied in memory', async () => {
    const folder = await makeRepo();
    const expected = await (async () => {
      await using repo = await openRepo(folder);
      return await readEverything(repo);
    })();
    const database = await openDatabase(folder);
    database.exec('pragma journal_mode=truncate');
    database.exec('pragma cache_size=5');
    const copy = newFolder();
    expect(() =>
      database.transaction(() => {
        const insert = database.prepare('insert into blocks (key, value) values (?, ?)');
        for (let n = 0; n < 500; n++) {
          insert.bindText(1, `nonsense ${n}`);
          insert.bindBlob(2, new Uint8Array(2000));
          insert.step();
          insert.reset();
        }
        insert.finalize();
        fs.cpSync(folder, copy, { recursive: true });
        throw new Error('killed');
      }),
    ).toThrow('killed');
    await database.close();
    const hot = fs.existsSync(join(copy, 'pds.db-journal')) ? fs.statSync(join(copy, 'pds.db-journal')).size : 0;
    const log = fs.existsSync(join(copy, 'pds.db-wal')) ? fs.statSync(join(copy, 'pds.db-wal')).size : 0;
    expect([hot > 0, log], `journal=${hot}`).toEqual([true, 0]);
    const before = stateOf(copy);
    const reader = await openRepo(copy, { readOnly: true });
    expect(await readEverything(reader)).toEqual(expected);
    await reader.close();
    expect(stateOf(copy)).toEqual(before);
  });

  test('a WAL of more than 64 MiB is Locked, and the message says what to do', async () => {
    const folder = await makeRepo();
    fs.writeFileSync(join(folder, 'pds.db-wal'), '');
    fs.truncateSync(join(folder, 'pds.db-wal'), 64 * 1024 * 1024 + 1);
    await expect(openRepo(folder, { readOnly: true })).rejects.toThrow(/open the repository once without readOnly/);
    await expect(openRepo(folder, { readOnly: true })).rejects.toEqual(code('Locked'));
  });

  test('a stale lock is ignored', async () => {
    const folder = await makeRepo();
    const record = { pid: 2 ** 22 + 1, runtime: 'node', host: 'before', token: 'a'.repeat(32), madeMs: 1 };
    const boot = fs.existsSync('/proc') ? fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : undefined;
    const namespace = fs.existsSync('/proc') ? fs.readlinkSync('/proc/self/ns/pid') : undefined;
    fs.writeFileSync(join(folder, 'pds.lock'), `${JSON.stringify({ ...record, boot, namespace })}\n`);
    const before = stateOf(folder);
    await (await openRepo(folder, { readOnly: true })).close();
    expect(stateOf(folder)).toEqual(before);
  });
});

test('a database without the table commits has no history, and is not changed', async () => {
  const folder = await makeRepo();
  {
    await using database = await openDatabase(folder);
    database.exec('drop table commits');
  }
  const before = stateOf(folder);
  await using reader = await openRepo(folder, { readOnly: true });
  expect(await collect(reader.log())).toEqual([]);
  expect(await reader.info()).toMatchObject({ commits: 0, records: 5 });
  expect(await collect(reader.list(POST))).toHaveLength(5);
  expect(stateOf(folder)).toEqual(before);
});
