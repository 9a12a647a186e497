/** The connection of a page to its worker, and requests to a worker that does not reply. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import type { RepoWorker } from '../../../src/adapters/tabs/connection.ts';
import { ask, takeFromWorker } from '../../../src/adapters/tabs/connection.ts';
import type { BackupFile } from '../../../src/core/storage/backup-file.ts';
import type { Locks } from '../../../src/adapters/origin/locks.ts';
import { createLocalLocks } from '../../../src/adapters/origin/locks.ts';
import type { OpenChannel } from '../../../src/adapters/tabs/channel.ts';
import { openRemote } from '../../../src/adapters/tabs/open-remote.ts';
import type { RepoPlaces } from '../../../src/adapters/tabs/repo-place.ts';
import { createStation } from '../../../src/adapters/tabs/station.ts';
import { sqliteRepo } from '../../../src/adapters/sqlite/open-repo.ts';
import { RepoError } from '../../../src/core/errors.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import type { StoredRepo } from '../../../src/core/repo/stored-records.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { PlayedBrowser } from './tabs.ts';

const forever = <T>(): Promise<T> => new Promise(() => {});
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Opens a channel of the only tab. */
const deaf: OpenChannel = () => ({ onmessage: null, postMessage: () => {}, close: () => {} });

interface PlayedWorker {
  readonly worker: RepoWorker;
  /** Ends it as `terminate()` does: without a message, but its locks are released. */
  terminate(): void;
}

/** A worker with locks of its own or the page's, which does at each place what `places` says. */
const startWorker = (places: Partial<RepoPlaces>, locks: Locks): PlayedWorker => {
  let terminate = (): void => {};
  let isDead = false;
  const death = new Promise<never>((_, reject) => {
    terminate = () => {
      isDead = true;
      reject(new Error('terminated'));
    };
  });
  death.catch(() => {});
  const station = createStation({
    places: places as RepoPlaces,
    locks: {
      request: (name, options, held) => locks.request(name, options, (lock) => Promise.race([held(lock), death])),
    },
    openChannel: deaf,
  });
  const receive = (data: unknown, port: MessagePort): void => {
    const mouth = {
      postMessage: (message: unknown, transfer: Transferable[] = []) => isDead || port.postMessage(message, transfer),
      addEventListener: (_: string, listener: (event: MessageEvent) => void) =>
        port.addEventListener('message', (event) => void (isDead || listener(event))),
    };
    Object.defineProperty(mouth, 'onmessage', {
      set: (listener: typeof port.onmessage) =>
        (port.onmessage = (event) => void (isDead || listener?.call(port, event))),
    });
    station({ data, ports: [mouth as unknown as MessagePort] });
  };
  return {
    worker: {
      postMessage: (data, [port]) => queueMicrotask(() => receive(structuredClone(data), port as MessagePort)),
      addEventListener: () => {},
      removeEventListener: () => {},
      terminate: () => {},
    },
    terminate,
  };
};

/** A place with one repository in memory. */
const memoryPlace = (): Pick<RepoPlaces, 'find'> => ({
  find: async (name) => ({
    name,
    storage: 'indexeddb',
    open: (did) =>
      sqliteRepo(
        {
          wasm: nodeSqliteWasm,
          openFiles: async () => new MemoryFiles(),
          openBlobs: async () => new MemoryBlobStore(),
        },
        { did },
      ),
    prepare: async () => {},
    hurry: () => {},
  }),
});

const open = (worker: RepoWorker, locks: Locks | undefined): Promise<Repo> =>
  openRemote(worker, {
    name: 'repo',
    did: DID,
    storage: 'auto',
    waitMs: 5_000,
    signer: undefined,
    readOnly: false,
    locks,
    openChannel: deaf,
    isPersistent: undefined,
  });

const oneFile: BackupFile = { path: 'pds.db', content: { size: 3, stream: () => new Blob(['abc']).stream() } };

async function* fileOf(file: BackupFile): AsyncGenerator<BackupFile> {
  yield file;
}

describe('a worker that is terminated keeps nobody waiting', () => {
  const locks = createLocalLocks();
  const died = { code: 'StorageFailed', message: expect.stringMatching(/has ended/) as string };

  test('who opens a repository', async () => {
    const { worker, terminate } = startWorker({ find: () => forever() }, locks);
    const opened = open(worker, locks);
    await Promise.all([expect(opened).rejects.toMatchObject(died), pause(20).then(terminate)]);
  });

  test('who asks for a list, or a deletion', async () => {
    const { worker, terminate } = startWorker({ list: () => forever(), remove: () => forever() }, locks);
    const asked = [ask(worker, locks, 'list'), ask(worker, locks, 'remove', 'repo')];
    await Promise.all([...asked.map((one) => expect(one).rejects.toMatchObject(died)), pause(20).then(terminate)]);
  });

  test('who gives a folder', async () => {
    const { worker, terminate } = startWorker(
      {
        async importFolder(_name, _storage, files) {
          await listOf(files);
          return forever();
        },
      },
      locks,
    );
    const given = ask(worker, locks, 'importFolder', 'repo', 'auto', fileOf(oneFile));
    await Promise.all([expect(given).rejects.toMatchObject(died), pause(20).then(terminate)]);
  });

  test('who takes one', async () => {
    const files = async function* (): AsyncGenerator<BackupFile> {
      yield oneFile;
      await forever();
    };
    const { worker, terminate } = startWorker({ exportFolder: async () => files() }, locks);
    const taken = listOf(takeFromWorker(worker, locks, 'repo', 'auto'));
    await Promise.all([expect(taken).rejects.toMatchObject(died), pause(20).then(terminate)]);
  });

  test('who closes', async () => {
    const { worker, terminate } = startWorker(memoryPlace(), locks);
    const repo = await open(worker, locks);
    const stuck = repo.put(POST, 'a', post('a'), { signer: { sign: () => forever() } });
    const outcome = stuck.catch((error: RepoError) => error.code);
    await repo.head();
    const closed = repo.close();
    terminate();
    await closed;
    expect(await outcome).toBe('OutcomeUnknown');
  });

  test('what is asked later says why', async () => {
    const { worker, terminate } = startWorker(memoryPlace(), locks);
    const repo = await open(worker, locks);
    terminate();
    await pause(200);
    await expect(repo.head()).rejects.toMatchObject({
      code: 'Closed',
      cause: died,
    });
    await repo.close();
  });
});

describe('a folder', () => {
  test('that is left in the middle is closed when the iteration ends', async () => {
    const locks = createLocalLocks();
    let isClosed = false;
    const files = async function* (): AsyncGenerator<BackupFile> {
      try {
        yield oneFile;
        yield oneFile;
      } finally {
        await pause(50);
        isClosed = true;
      }
    };
    const { worker } = startWorker({ exportFolder: async () => files() }, locks);
    for await (const { path } of takeFromWorker(worker, locks, 'r', 'auto')) {
      expect(path).toBe('pds.db');
      break;
    }
    expect(isClosed).toBe(true);
  });
});

describe('a worker that is done is not watched any longer', () => {
  test('after each thing that it was asked for', async () => {
    const names = new Set<string>();
    const local = createLocalLocks();
    const locks: Locks = {
      request: (name, options, held) => {
        names.add(name);
        return local.request(name, options, held);
      },
    };
    const { worker } = startWorker(
      {
        ...memoryPlace(),
        list: async () => [],
        exportFolder: async () =>
          (async function* () {
            yield oneFile;
          })(),
        importFolder: async (_name, _storage, files) => (await listOf(files)).length,
      },
      locks,
    );
    expect(await ask(worker, locks, 'list')).toEqual([]);
    expect((await listOf(takeFromWorker(worker, locks, 'repo', 'auto'))).length).toBe(1);
    expect(await ask(worker, locks, 'importFolder', 'repo', 'auto', fileOf(oneFile))).toBe(1);
    await (await open(worker, locks)).close();
    expect([...names].filter((name) => name.startsWith('pdsdb:member:')).length).toBe(4);
    for (const name of names) {
      await expect
        .poll(() => local.request(name, { ifAvailable: true }, async (lock) => lock !== null), { message: name })
        .toBe(true);
    }
  });
});

describe('a worker that does not begin', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('times out after a few seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const silent: RepoWorker = {
      postMessage: () => {},
      addEventListener: () => {},
      removeEventListener: () => {},
      terminate: () => {},
    };
    const failed = { code: 'StorageFailed', message: expect.stringMatching(/^the worker did not start/) as string };
    const all = [open(silent, undefined), ask(silent, undefined, 'list')].map((asked) =>
      expect(asked).rejects.toMatchObject(failed),
    );
    await vi.advanceTimersByTimeAsync(20_000);
    await Promise.all(all);
  });
});

describe('where there are no locks that a page and its worker share', () => {
  test('a repository stays open', async () => {
    const { worker } = startWorker(memoryPlace(), createLocalLocks());
    const repo = await open(worker, undefined);
    await pause(300);
    await repo.put(POST, 'a', post('a'));
    expect((await repo.info()).records).toBe(1);
    await repo.close();
  });
});

describe('closing', () => {
  test('closes the files once', async () => {
    let closings = 0;
    const place = memoryPlace();
    const find: RepoPlaces['find'] = async (...given) => {
      const found = await place.find(...given);
      const opened = async (did: string | undefined): Promise<StoredRepo> => {
        const repo = await found.open(did);
        const close = repo.close.bind(repo);
        repo.close = () => ((closings += 1), close());
        return repo;
      };
      return { ...found, open: opened };
    };
    const locks = createLocalLocks();
    const { worker } = startWorker({ find }, locks);
    await (await open(worker, locks)).close();
    // The lock of the leader is released after all of its work.
    await locks.request('pdsdb:leader:indexeddb:repo', {}, async () => {});
    expect(closings).toBe(1);
  });

  test('rejects with what went wrong, and has closed all the same', async () => {
    const browser = new PlayedBrowser();
    const repo = await browser.tab().open('repo', { did: DID });
    await repo.put(POST, 'a', post('a'));
    const failure = new RepoError('StorageFull', 'no room to checkpoint the WAL');
    browser.afterClose = () => {
      browser.afterClose = () => {};
      throw failure;
    };
    await expect(repo.close()).rejects.toMatchObject({ code: 'StorageFull', message: failure.message });
    await expect(repo.head()).rejects.toMatchObject({ code: 'Closed' });
    expect((await (await browser.tab().open('repo')).info()).records).toBe(1);
  });
});
