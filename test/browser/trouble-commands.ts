/** Faults in browsers, caused without the library. Each function returns the result. */
import { del, set } from 'idb-keyval';
import { browserPlatform } from '../../src/adapters/platform/browser-platform.ts';
import { openIdbFiles } from '../../src/adapters/files/idb-files.ts';
import { openIdbDatabase } from '../../src/adapters/origin/idb-database.ts';
import type { IdbDatabase } from '../../src/adapters/origin/idb-database.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { isRepoError } from '../../src/core/errors.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { DID, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { newName } from './places.ts';
import { runCase } from './suites.ts';
import { wasm } from './wasm.ts';

/**
 * Returns the code of an error, `done` without an error, and the message of an error that is not one of
 * ours.
 */
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (isRepoError(error) ? error.code : String(error)),
  );

const createIdb = async (name: string): Promise<Repo> =>
  sqliteRepo(await browserPlatform(name, { storage: 'indexeddb', wasm, create: true }), { did: DID });
const openIdb = async (name: string): Promise<Repo> =>
  sqliteRepo(await browserPlatform(name, { storage: 'indexeddb', wasm }), {});
const write = (repo: Repo, n: number): Promise<unknown> => repo.put(POST, rkeyOf(n), post(`number ${n}`));

const kept = async (): Promise<string> => {
  const name = newName();
  const repo = await createIdb(name);
  await write(repo, 1);
  await repo.close();
  return name;
};

/** Records every database connection that is opened until `stop`. */
const noteConnections = () => {
  const connections: IDBDatabase[] = [];
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = function (...given: Parameters<IDBFactory['open']>) {
    const request = open.apply(this, given);
    request.addEventListener('success', () => connections.push(request.result));
    return request;
  };
  return {
    /**
     * Closes the connections as a browser does: with the close event, or before it. Returns the number of connections.
     */
    lose(withEvent: boolean): number {
      const lost = connections.splice(0);
      for (const connection of lost) {
        connection.close();
        if (withEvent) {
          connection.dispatchEvent(new Event('close'));
        }
      }
      return lost.length;
    },
    stop: () => void (IDBFactory.prototype.open = open),
  };
};

const behind = async (name: string, run: (database: IdbDatabase) => Promise<unknown>): Promise<void> => {
  const database = (await openIdbDatabase(name, false))!;
  await run(database);
  database.close();
};

export const troubleCommands = {
  /** Two owners, as when a frozen page resumes and another page has its lock. */
  async zombie() {
    const name = await kept();
    const zombie = await openIdb(name);
    await navigator.locks.request(`pdsdb-files:${name}`, { steal: true }, async () => undefined);
    const owner = await openIdb(name);
    await write(owner, 2);
    const late = await codeOf(write(zombie, 3));
    const later = await codeOf(write(zombie, 4));
    const close = await codeOf(zombie.close());
    await write(owner, 5);
    await owner.close();
    const again = await openIdb(name);
    const keys: string[] = [];
    for await (const { rkey } of again.list(POST)) {
      keys.push(rkey);
    }
    const { ok } = await again.verify();
    await again.close();
    return { late, later, close, ok, keys: keys.map((rkey) => Number(rkey.slice(2))) };
  },

  /** The browser closes connections repeatedly, with one owner. */
  async connectionsLost() {
    const name = await kept();
    const connections = noteConnections();
    const repo = await openIdb(name);
    const lost: number[] = [];
    const codes: string[] = [];
    for (const withEvent of [false, true]) {
      lost.push(connections.lose(withEvent));
      codes.push(await codeOf(write(repo, 2 + lost.length)));
      codes.push(await codeOf(repo.putBlob(new Uint8Array([lost.length]))));
    }
    lost.push(connections.lose(true));
    codes.push(...(await Promise.all([10, 11, 12].map((n) => codeOf(write(repo, n))))));
    connections.lose(false);
    codes.push(await codeOf(repo.close()));
    connections.stop();
    const again = await openIdb(name);
    const { ok, records, blobs } = await again.verify();
    await again.close();
    return { lost, codes, ok, records, blobs };
  },

  /**
   * The same, but another owner has written meanwhile, or has cleared the data and created a repository with the same
   * epoch.
   */
  async connectionsLostToOthers(how: 'created again' | 'written') {
    const name = await kept();
    const connections = noteConnections();
    const late = await openIdb(name);
    connections.lose(true);
    connections.stop();
    await navigator.locks.request(`pdsdb-files:${name}`, { steal: true }, async () => undefined);
    if (how === 'created again') {
      const request = indexedDB.deleteDatabase(`pdsdb:${name}`);
      await new Promise((resolve) => (request.onsuccess = resolve));
    }
    const owner = how === 'created again' ? await createIdb(name) : await openIdb(name);
    await write(owner, how === 'created again' ? 1 : 2);
    await owner.close();
    const code = await codeOf(write(late, 3));
    await late.close();
    const again = await openIdb(name);
    const { ok, records } = await again.verify();
    await again.close();
    return { code, ok, records };
  },

  /** After `persist` has rejected, the files accept no more writes. */
  async poisoned() {
    const name = await kept();
    const files = await openIdbFiles(name);
    await behind(name, (database) =>
      set(
        'files',
        { epoch: 99, sizes: { 'pds.db': 8192, 'pds.db-journal': 0, 'pds.db-wal': 0 } },
        database.store('state'),
      ),
    );
    files.main.write(new Uint8Array([1]), { at: 4000 });
    const codes = [await codeOf(files.persist()), await codeOf(files.persist())];
    await files.close();
    return codes;
  },

  /** Many concurrent calls, each with one change. */
  async persistedAtOnce() {
    const name = newName();
    const files = await openIdbFiles(name, { create: true });
    const persisted = [1, 2, 3, 4, 5].map((byte) => {
      files.main.write(new Uint8Array([byte]), { at: byte * 5000 });
      return codeOf(files.persist());
    });
    const codes = await Promise.all(persisted);
    await files.close();
    const again = await openIdbFiles(name);
    const found = new Uint8Array(1);
    const bytes = [1, 2, 3, 4, 5].map((byte) => (again.main.read(found, { at: byte * 5000 }), found[0]));
    await again.close();
    return { codes, bytes };
  },

  /** Clears site data while a repository is open. */
  async cleared() {
    const name = await kept();
    const repo = await openIdb(name);
    const request = indexedDB.deleteDatabase(`pdsdb:${name}`);
    await new Promise((resolve) => (request.onsuccess = resolve));
    const late = await codeOf(write(repo, 2));
    const close = await codeOf(repo.close());
    return { late, close, again: await codeOf(openIdb(name)) };
  },

  /** Removes a page of the database. */
  async pageMissing() {
    const name = await kept();
    await behind(name, (database) => del(2, database.store('pds.db')));
    return codeOf(openIdb(name));
  },

  /** A database without pages, as after an interrupted creation. */
  async nothingPersisted() {
    const name = newName();
    (await openIdbDatabase(name, true))!.close();
    const opened = await codeOf(openIdb(name));
    const repo = await createIdb(name);
    await repo.close();
    return [opened, await codeOf(createIdb(name))];
  },

  /** A newer version of the library has written the database. */
  async newerVersion() {
    const name = newName();
    const request = indexedDB.open(`pdsdb:${name}`, 7);
    await new Promise((resolve) => (request.onsuccess = resolve));
    request.result.close();
    return codeOf(openIdb(name));
  },

  /** Opening a missing repository creates nothing. */
  async notThere() {
    const name = newName();
    const codes: string[] = [];
    for (const storage of ['indexeddb', 'auto'] as const) {
      codes.push(await codeOf(browserPlatform(name, { storage, wasm }).then((platform) => sqliteRepo(platform, {}))));
    }
    const databases = await indexedDB.databases();
    return [...codes, String(databases.some((database) => database.name?.includes(name)))];
  },

  /** Returns the storage of a new repository with `auto`, and checks that `auto` creates no second repository. */
  async chosen() {
    const name = newName();
    const platform = await browserPlatform(name, { wasm, create: true });
    const repo = await sqliteRepo(platform, { did: DID });
    await repo.close();
    const again = await browserPlatform(name, { wasm });
    return [platform.storage, again.storage, await codeOf(browserPlatform(name, { wasm, create: true }))];
  },

  /** An OPFS file that is not a database, and an empty one. */
  async opfsDamaged() {
    const name = newName();
    const repo = await sqliteRepo(await browserPlatform(name, { storage: 'opfs', wasm, create: true }), { did: DID });
    await repo.close();
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
    const file = (await folder.getFileHandle('pds.db')) as FileSystemFileHandle & {
      createSyncAccessHandle(): Promise<{
        write(bytes: Uint8Array): number;
        truncate(size: number): void;
        close(): void;
      }>;
    };
    const open = async (): Promise<unknown> => sqliteRepo(await browserPlatform(name, { storage: 'opfs', wasm }), {});
    const damage = async (size: number, bytes: Uint8Array): Promise<string> => {
      const handle = await file.createSyncAccessHandle();
      handle.truncate(size);
      handle.write(bytes);
      handle.close();
      return codeOf(open());
    };
    return [await damage(20_000, new Uint8Array(100)), await damage(0, new Uint8Array(0))];
  },

  /** Runs the cases for blobs where files cannot be moved. Returns the failed cases. */
  async blobsWithoutMove() {
    const prototype = FileSystemFileHandle.prototype as { move?: unknown };
    const move = Object.getOwnPropertyDescriptor(prototype, 'move');
    delete prototype.move;
    const failed: string[] = [];
    for (const { name } of blobStoreCases) {
      const outcome = await runCase('blob store', 'opfs', name);
      if (outcome.outcome === 'failed') {
        failed.push(`${name}: ${outcome.message}`);
      }
    }
    if (move !== undefined) {
      Object.defineProperty(prototype, 'move', move);
    }
    return failed;
  },
};
