/** A repository for reading, also while other owners write to its storage. */
import { isRepoError, RepoError } from '../errors.ts';
import type { Branch } from './branch.ts';
import type { Repo } from './repo.ts';
import type { RepoMeta } from './write/meta.ts';

/**
 * The kind of a method. `list` returns an async iterable, `stream` a `ReadableStream`; `read` and `write` return
 * promises. `own` passes through unchanged.
 */
type Use = 'list' | 'own' | 'read' | 'stream' | 'write';

/** The record type makes a new method fail to compile until it is listed here. */
const REPO: Readonly<Record<keyof Repo, Use>> = {
  did: 'own',
  meta: 'own',
  head: 'read',
  info: 'read',
  get: 'read',
  getJson: 'read',
  list: 'list',
  listJson: 'list',
  // Not `list`: a watch can be ended while it waits for a change.
  watch: 'own',
  collections: 'read',
  write: 'write',
  create: 'write',
  put: 'write',
  getBytes: 'read',
  proveRecord: 'read',
  commitEvent: 'read',
  applyEvent: 'write',
  restore: 'write',
  delete: 'write',
  checkout: 'read',
  commit: 'write',
  log: 'list',
  diff: 'list',
  reset: 'write',
  recommit: 'write',
  branch: 'own',
  refs: 'read',
  setRef: 'write',
  removeRef: 'write',
  importCar: 'write',
  exportCar: 'stream',
  putBlob: 'write',
  getBlob: 'read',
  blobs: 'list',
  missingBlobs: 'list',
  verify: 'read',
  repair: 'write',
  backup: 'list',
  gc: 'write',
  onChange: 'own',
  close: 'own',
  [Symbol.asyncDispose]: 'own',
};

const META: Readonly<Record<keyof RepoMeta, Use>> = { get: 'read', set: 'write', list: 'list' };

const BRANCH: Readonly<Record<keyof Branch, Use>> = {
  name: 'own',
  head: 'read',
  base: 'read',
  get: 'read',
  getJson: 'read',
  list: 'list',
  listJson: 'list',
  entries: 'list',
  collections: 'read',
  create: 'write',
  put: 'write',
  delete: 'write',
  write: 'write',
  diff: 'list',
  discard: 'write',
};

/** Storage that other owners may write to. */
export interface ChangingStorage {
  /** Number of changes found so far. One read of the storage is consistent; two reads may see two states. */
  readonly changes: number;
}

/** Storage that only this repository changes. */
const UNCHANGING: ChangingStorage = { changes: 0 };

/** Number of attempts of a read while other owners write. */
const MAX_TRIES = 20;

const FOR_READING = 'cannot write: the repository was opened with readOnly; open it without readOnly';

/** Returns the error of each method that writes. */
export const readOnlyError = (message: string = FOR_READING): RepoError => new RepoError('ReadOnly', message);

/** Returns the error of a read that failed because other owners wrote during it. */
export const changedMeanwhile = (cause?: unknown): RepoError =>
  new RepoError('Locked', 'another owner changed the repository during the read: read it again', { cause });

/** These errors do not prove damage while another owner writes. */
const disturbed = (cause: unknown): unknown =>
  isRepoError(cause, 'BlockNotFound') || isRepoError(cause, 'Corrupt') || isRepoError(cause, 'BlobNotFound')
    ? changedMeanwhile(cause)
    : cause;

const readers = (storage: ChangingStorage) => ({
  async read<T>(run: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const { changes } = storage;
      try {
        const value = await run();
        if (storage.changes === changes || tries === MAX_TRIES) {
          return value;
        }
      } catch (error) {
        if (storage.changes === changes || isRepoError(error, 'Locked')) {
          throw error;
        }
        if (tries === MAX_TRIES) {
          throw disturbed(error);
        }
      }
    }
  },
  /**
   * Entries that were returned cannot be taken back. So a list continues across changes, and fails only on an error.
   */
  async *list<T>(run: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const { changes } = storage;
    try {
      yield* run();
    } catch (error) {
      throw storage.changes === changes ? error : disturbed(error);
    }
  },
  stream<T>(run: () => ReadableStream<T>): ReadableStream<T> {
    const { changes } = storage;
    const reader = run().getReader();
    return new ReadableStream<T>(
      {
        async pull(controller) {
          try {
            const { value, done } = await reader.read();
            if (done) {
              controller.close();
            } else {
              controller.enqueue(value);
            }
          } catch (error) {
            throw storage.changes === changes ? error : disturbed(error);
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  },
});

type Method = (...args: unknown[]) => unknown;

/** Returns a proxy. Its reads go through `read`, `list` and `stream`; its writes go to `refuse`. */
const guarded = <T extends object>(
  target: T,
  uses: Readonly<Record<keyof T, Use>>,
  { read, list, stream }: ReturnType<typeof readers>,
  refuse: () => Promise<never>,
  own: Partial<T> = {},
): T => {
  const methodOf = (use: Use, method: Method): Method => {
    switch (use) {
      case 'write':
        return refuse;
      case 'read':
        return (...args) => read(() => method(...args) as Promise<unknown>);
      case 'list':
        return (...args) => list(() => method(...args) as AsyncIterable<unknown>);
      case 'stream':
        return (...args) => stream(() => method(...args) as ReadableStream<unknown>);
      case 'own':
        return method;
    }
  };
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(own, key)) {
        return Reflect.get(own, key) as unknown;
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function'
        ? methodOf(Object.hasOwn(uses, key) ? uses[key as keyof T] : 'own', value.bind(target) as Method)
        : value;
    },
  });
};

export interface ReadOnlyOptions {
  readonly storage?: ChangingStorage | undefined;
  /** The message of `ReadOnly`. */
  readonly message?: string | undefined;
}

/**
 * Returns the same repository for reading. Each method that writes rejects with `ReadOnly`. If another owner writes
 * during a read, the read is retried; a list continues, or fails with `Locked`.
 */
export const readOnlyRepo = (repo: Repo, { storage = UNCHANGING, message }: ReadOnlyOptions = {}): Repo => {
  const over = readers(storage);
  const refuse = async (): Promise<never> => {
    throw readOnlyError(message);
  };
  return guarded(repo, REPO, over, refuse, {
    meta: guarded(repo.meta, META, over, refuse),
    branch: (name) => guarded(repo.branch(name), BRANCH, over, refuse),
  });
};
