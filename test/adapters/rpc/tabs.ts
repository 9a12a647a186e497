/** Tabs of a browser, played in one process: each with locks and a worker of its own, over storage that all share. */
import type { RepoWorker } from '../../../src/adapters/tabs/connection.ts';
import { ask } from '../../../src/adapters/tabs/connection.ts';
import { createLocalLocks } from '../../../src/adapters/origin/locks.ts';
import type { Locks } from '../../../src/adapters/origin/locks.ts';
import { openRemote } from '../../../src/adapters/tabs/open-remote.ts';
import type { ChannelMessage, OpenChannel } from '../../../src/adapters/tabs/channel.ts';
import { openBroadcastChannel } from '../../../src/adapters/tabs/channel.ts';
import { createStation } from '../../../src/adapters/tabs/station.ts';
import type { RepoPlaces } from '../../../src/adapters/tabs/repo-place.ts';
import { sqliteRepo } from '../../../src/adapters/sqlite/open-repo.ts';
import { RepoError } from '../../../src/core/errors.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import type { StoredRepo } from '../../../src/core/repo/stored-records.ts';
import type { Validate } from '../../../src/core/repo/record.ts';
import type { Signer } from '../../../src/core/crypto/signer.ts';
import type { BlobStore } from '../../../src/core/storage/ports.ts';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';

/** One repository's place: files that outlive their owner. */
interface Place {
  files: MemoryFiles;
  readonly blobs: MemoryBlobStore;
}

/** A browser: what its tabs share. Each has its own channels, so that tests do not hear each other. */
export class PlayedBrowser {
  /** Random, because a channel reaches all threads of the process, in which other test files run. */
  readonly #prefix = `test-${crypto.randomUUID()}:`;
  readonly #places = new Map<string, Place>();
  readonly locks: Locks = createLocalLocks();
  readonly #durableOn: 'flush' | 'persist';
  /** Called before each opening of files. Its errors are those of the storage. */
  beforeOpen: (name: string) => void = () => {};
  /** The time that opening takes, and the same. */
  opening: () => Promise<void> = async () => {};
  /** Called before changes are made durable, and the same. */
  beforePersist: () => void = () => {};
  /** Called before a blob is read, and the same. */
  beforeBlob: () => void = () => {};
  /** Called after files were closed, and the same. */
  afterClose: () => void = () => {};

  constructor({ durableOn = 'flush' }: { readonly durableOn?: 'flush' | 'persist' } = {}) {
    this.#durableOn = durableOn;
  }

  tab(): PlayedTab {
    return new PlayedTab(this, this.#prefix);
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  names(): string[] {
    return [...this.#places.keys()];
  }

  remove(name: string): void {
    this.#places.delete(name);
  }

  async open(name: string, did: string | undefined): Promise<StoredRepo> {
    await this.opening();
    this.beforeOpen(name);
    let place = this.#places.get(name);
    if (place === undefined) {
      if (did === undefined) {
        throw new RepoError('RepoNotFound', `there is no repository; name=${name}`);
      }
      place = { files: new MemoryFiles({ durableOn: this.#durableOn }), blobs: new MemoryBlobStore() };
      this.#places.set(name, place);
    } else if (did !== undefined) {
      throw new RepoError('RepoExists', `there is a repository; name=${name}`);
    }
    // What the last owner wrote stays; what it writes from now on, if it lives on as a ghost, does not.
    const before = place.files;
    place.files = before.reopened();
    await before.close();
    const { files, blobs } = place;
    return sqliteRepo(
      {
        wasm: nodeSqliteWasm,
        openFiles: async () => this.#watched(files),
        openBlobs: async () => lasting(blobs, this.beforeBlob),
      },
      { did },
    );
  }

  #watched(files: MemoryFiles): DatabaseFiles {
    const { main, journal, wal, durableOn } = files;
    const close = async (): Promise<void> => {
      await files.close();
      this.afterClose();
    };
    const persist = async (): Promise<void> => {
      this.beforePersist();
      await files.persist();
    };
    return { main, journal, wal, durableOn, persist, close, [Symbol.asyncDispose]: close };
  }
}

/** A blob store whose content outlives it. */
const lasting = (blobs: MemoryBlobStore, before: () => void): BlobStore => {
  let isClosed = false;
  const opened = (): MemoryBlobStore => {
    if (isClosed) {
      throw new RepoError('Closed', 'the blob store is closed');
    }
    before();
    return blobs;
  };
  const close = async (): Promise<void> => {
    isClosed = true;
  };
  return {
    put: async (...args) => opened().put(...args),
    get: async (cid) => opened().get(cid),
    delete: async (cids) => opened().delete(cids),
    list: (options) => opened().list(options),
    close,
    [Symbol.asyncDispose]: close,
  };
};

export interface TabOpenOptions {
  readonly did?: string | undefined;
  readonly signer?: Signer | undefined;
  readonly validate?: Validate | undefined;
  readonly waitMs?: number | undefined;
  readonly readOnly?: boolean | undefined;
}

/** A tab: a page and its worker. */
export class PlayedTab {
  readonly #browser: PlayedBrowser;
  readonly #channels = new Set<{ close(): void }>();
  readonly #dead: Promise<void>;
  readonly #worker: RepoWorker;
  readonly #openChannel: OpenChannel;
  readonly locks: Locks;
  #die = (): void => {};
  #isDead = false;
  /** Looks at each message to other tabs; `false` loses it. */
  outgoing: (message: ChannelMessage) => boolean = () => true;
  /** The same for messages of other tabs. */
  incoming: (message: ChannelMessage) => boolean = () => true;

  constructor(browser: PlayedBrowser, prefix: string) {
    this.#browser = browser;
    this.#dead = new Promise((resolve) => (this.#die = resolve));
    this.locks = {
      // A browser releases the locks of a tab that was closed.
      request: (name, options, held) =>
        browser.locks.request(name, options, (lock) =>
          this.#isDead ? never(this.#dead) : Promise.race([held(lock), never<never>(this.#dead)]),
        ),
    };
    this.#openChannel = (name) => {
      const channel = openBroadcastChannel(prefix + name);
      const passes = (message: ChannelMessage): boolean => !this.#isDead && this.incoming(message);
      this.#channels.add(channel);
      return {
        set onmessage(hear: (typeof channel)['onmessage']) {
          channel.onmessage = (event) => void (passes(event.data) && hear?.(event));
        },
        postMessage: (message) => {
          if (!this.#isDead && this.outgoing(message)) {
            channel.postMessage(message);
          }
        },
        close: () => channel.close(),
      };
    };
    const station = createStation({
      places: this.#places(),
      locks: this.locks,
      openChannel: this.#openChannel,
    });
    this.#worker = {
      postMessage: (data, [port]) => queueMicrotask(() => station({ data, ports: [port as MessagePort] })),
      addEventListener: () => {},
      removeEventListener: () => {},
      terminate: () => {},
    };
  }

  open(name: string, { did, signer, validate, waitMs = 5_000, readOnly = false }: TabOpenOptions = {}): Promise<Repo> {
    return openRemote(this.#worker, {
      name,
      did,
      signer,
      validate,
      waitMs,
      readOnly,
      storage: 'auto',
      locks: this.locks,
      openChannel: this.#openChannel,
      isPersistent: undefined,
    });
  }

  list(): Promise<unknown> {
    return ask(this.#worker, this.locks, 'list');
  }

  /** Ends the tab without a word, as a crash does. */
  crash(): void {
    this.#isDead = true;
    this.#channels.forEach((channel) => channel.close());
    this.#die();
  }

  #places(): RepoPlaces {
    const browser = this.#browser;
    return {
      find: async (name, _, create) => {
        if (!create && !browser.has(name)) {
          throw new RepoError('RepoNotFound', `there is no repository; name=${name}`);
        }
        // A tab that was closed opens no files.
        const open = async (did: string | undefined): Promise<StoredRepo> =>
          this.#isDead ? new Promise(() => {}) : browser.open(name, did);
        return { name, storage: 'opfs', open, hurry: () => {}, prepare: async () => {} };
      },
      list: async () => browser.names(),
      remove: async (name) => browser.remove(name),
      exportFolder: () => Promise.reject(new Error('not played')),
      importFolder: () => Promise.reject(new Error('not played')),
    };
  }
}

/** Resolves when the tab dies. The value does not matter. */
const never = async <T>(dead: Promise<void>): Promise<T> => {
  await dead;
  return undefined as T;
};
