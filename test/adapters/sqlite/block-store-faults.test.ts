import { describe, expect, test } from 'vitest';
import { RepoError } from '../../../src/core/errors.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { blockOf, put, revOf } from '../../../src/testing/storage/block-store-harness.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { openDatabase } from './open-database.ts';
import { createStore, fill, openStore } from './open-store.ts';

const [a, b, c] = [blockOf(0), blockOf(1), blockOf(2)];

/** Returns the files of a repository in which other SQL was run. */
const damaged = async (...sql: readonly string[]): Promise<MemoryFiles> => {
  const files = new MemoryFiles();
  const store = await createStore(files);
  await fill(store);
  await store.close();
  const left = files.reopened();
  const database = await openDatabase(left);
  database.transaction(() => sql.forEach((statement) => database.exec(statement)));
  database.close();
  return left;
};

describe('damage is Corrupt, and the message names the row', () => {
  const at = (place: RegExp): unknown =>
    expect.objectContaining({ code: 'Corrupt', message: expect.stringMatching(place) });

  test('a block of type TEXT', async () => {
    await using store = await openStore(await damaged(`update blocks set value = 'a text' where key = '${a.cid}'`));
    await expect(store.get(a.cid)).rejects.toEqual(at(new RegExp(`table=blocks key=${a.cid}`)));
    await expect(store.getMany([b.cid, a.cid])).rejects.toEqual(at(/table=blocks/));
    expect(await store.get(b.cid)).toEqual(b.bytes);
  });

  test.each(['not a CID', String(a.cid).toUpperCase(), `${a.cid}a`, 'Qmdfn3bcUUKrMzFTHU4aUnSvvSrzHxv2bhfLTu2TRVwVQ8'])(
    'a block by the name of %s',
    async (key) => {
      await using store = await openStore(await damaged(`insert into blocks values ('${key}', x'00')`));
      await expect(listOf(store.cids())).rejects.toEqual(at(/table=blocks key=/));
    },
  );

  test('an invalid ref, commit or value', async () => {
    const files = await damaged(
      `update refs set value = x''`,
      `update commits set value = cast(upper(value) as blob)`,
      `update meta set value = x'ff' where key = 'message'`,
    );
    await using store = await openStore(files);
    await expect(store.ref('main')).rejects.toEqual(at(/table=refs key=main/));
    await expect(listOf(store.refs())).rejects.toEqual(at(/table=refs key=main/));
    await expect(store.commit(revOf(1))).rejects.toEqual(at(/table=commits key=/));
    await expect(listOf(store.commits())).rejects.toEqual(at(/table=commits key=/));
    await expect(store.meta('message')).rejects.toEqual(at(/table=meta key=message/));
  });

  test('a commit whose key is not a rev', async () => {
    await using store = await openStore(
      await damaged(`insert into commits values ('yesterday', cast('${a.cid}' as blob))`),
    );
    await expect(listOf(store.commits({ reverse: true }))).rejects.toEqual(
      at(/not a rev: .*; table=commits key=yesterday/),
    );
  });

  test('damaged pages, which check lists', async () => {
    const files = await damaged();
    const sound = await openStore(files.reopened());
    expect(await sound.maintenance.check()).toEqual([]);
    await sound.close();
    files.main.write(new Uint8Array(4096).fill(7), { at: 4096 * 20 });
    await using store = await openStore(files.reopened());
    const faults = await store.maintenance.check().catch((error: unknown) => [String(error)]);
    expect(faults.join()).toMatch(/page|malformed|Corrupt/i);
  });
});

describe('when storage fails', () => {
  test('a failed persist ends the store, and the change is missing after reopening', async () => {
    const files = new MemoryFiles({ durableOn: 'persist' });
    const store = await createStore(files);
    await fill(store);
    const cause = new Error('the database connection was lost');
    const persist = files.persist.bind(files);
    files.persist = () => Promise.reject(cause);
    const failing = store.transact((change) => change.setRef('main', b.cid));
    const queued = store.transact((change) => change.setRef('main', c.cid));
    await expect(failing).rejects.toMatchObject({ name: 'RepoError', code: 'StorageFailed', cause });
    await expect(queued).rejects.toMatchObject({ code: 'StorageFailed', cause });
    files.persist = persist;
    await expect(store.ref('main')).rejects.toMatchObject({ code: 'StorageFailed', cause });
    await expect(store.get(a.cid)).rejects.toMatchObject({ code: 'StorageFailed', cause });
    await expect(put(store, [c])).rejects.toMatchObject({ code: 'StorageFailed', cause });
    const after = files.reopened();
    await store.close();
    await expect(store.get(a.cid)).rejects.toMatchObject({ code: 'Closed' });
    await using again = await openStore(after);
    expect(String(await again.ref('main'))).toBe(String(a.cid));
  });

  test('a persist on a full disk is StorageFull, and ends the store too', async () => {
    const files = new MemoryFiles({ durableOn: 'persist' });
    const store = await createStore(files);
    const full = new RepoError('StorageFull', 'the quota is used up');
    files.persist = () => Promise.reject(full);
    await expect(put(store, [a])).rejects.toBe(full);
    await expect(store.get(a.cid)).rejects.toMatchObject({ code: 'StorageFailed', cause: full });
    await store.close();
  });

  /** Files that throw from the n-th write of a file on, as long as `error` returns an error. */
  const failingFiles = (error: () => Error | undefined): MemoryFiles => {
    const files = new MemoryFiles();
    for (const file of [files.main, files.journal, files.wal]) {
      const write = file.write.bind(file);
      file.write = (buffer, options) => {
        const thrown = error();
        if (thrown !== undefined) {
          throw thrown;
        }
        return write(buffer, options);
      };
    }
    return files;
  };

  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

  test('a full disk undoes the change, and the store continues when there is space again', async () => {
    let error: Error | undefined;
    const files = failingFiles(() => error);
    const store = await createStore(files);
    await fill(store);
    error = full;
    const failing = store.transact(async (change) => {
      await change.put(Array.from({ length: 3_000 }, (_, n) => blockOf(n + 1_000)));
      await change.setRef('main', b.cid);
    });
    await expect(failing).rejects.toMatchObject({ code: 'StorageFull' });
    expect(String(await store.ref('main'))).toBe(String(a.cid));
    expect(await store.count()).toBe(500);
    error = undefined;
    await store.transact((change) => change.setRef('main', b.cid));
    expect(String(await store.ref('main'))).toBe(String(b.cid));
    await store.close();
  });

  test('a failed put fails the change, even if run ignores the error', async () => {
    let error: Error | undefined;
    const files = failingFiles(() => error);
    const store = await createStore(files);
    await fill(store);
    const page = new Uint8Array(4_000);
    const large = Array.from({ length: 20_000 }, (_, n) => ({ cid: blockOf(n + 1_000).cid, bytes: page }));
    let heard: unknown;
    const swallowing = store.transact(async (change) => {
      error = full;
      // More than SQLite keeps in its cache, so that it writes before the commit.
      await change.put(large).catch((thrown: unknown) => (heard = thrown));
      error = undefined;
      await change.setRef('main', b.cid);
    });
    await expect(swallowing).rejects.toMatchObject({ code: 'StorageFull' });
    expect(heard).toMatchObject({ code: 'StorageFull' });
    expect(String(await store.ref('main'))).toBe(String(a.cid));
    expect(await store.count()).toBe(500);
    expect(await put(store, [blockOf(5_000)])).toEqual([true]);
    await store.close();
  });

  test('a failed flush ends the store', async () => {
    const files = new MemoryFiles();
    const store = await createStore(files);
    await fill(store);
    const cause = Object.assign(new Error('input/output error'), { code: 'EIO' });
    files.wal.flush = () => {
      throw cause;
    };
    await expect(store.transact((change) => change.setRef('main', b.cid))).rejects.toMatchObject({
      code: 'StorageFailed',
    });
    await expect(store.ref('main')).rejects.toMatchObject({ code: 'StorageFailed' });
    await expect(put(store, [c])).rejects.toMatchObject({ code: 'StorageFailed' });
    await store.close();
    await expect(store.ref('main')).rejects.toMatchObject({ code: 'Closed' });
  });
});
