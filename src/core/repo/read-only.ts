/** A repository for reading, also while other owners write to its storage. */
import { isRepoError, RepoError } from '../errors.ts';
import type { Entry, OwnOfBranch, OwnOfRepo } from './method-tables.ts';
import { BRANCH, META, REPO } from './method-tables.ts';
import { giveReadAccess } from './repo-access.ts';
import type { Repo } from './repo.ts';

/** The kind of a method. `own` passes through unchanged. */
type Use = Entry['way'] | 'own';

/** The methods that the tables leave out. The type makes a new one fail to compile until it is listed here. */
const OTHERS: Readonly<Record<OwnOfBranch | OwnOfRepo, Use>> = {
  did: 'own',
  name: 'own',
  meta: 'own',
  info: 'read',
  get: 'read',
  getJson: 'read',
  getMany: 'read',
  list: 'list',
  listJson: 'list',
  entries: 'list',
  // Not `list`: a watch can be ended while it waits for a change.
  watch: 'own',
  collections: 'read',
  create: 'write',
  checkout: 'read',
  branch: 'own',
  onChange: 'own',
  close: 'own',
  [Symbol.asyncDispose]: 'own',
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
  table: Readonly<Partial<Record<keyof T, Entry>>>,
  { read, list, stream }: ReturnType<typeof readers>,
  refuse: () => Promise<never>,
  own: Partial<T> = {},
): T => {
  const methodOf = (use: Use, method: Method): Method => {
    switch (use) {
      case 'once':
      case 'write':
        return refuse;
      case 'read':
        return (...args) => read(() => method(...args) as Promise<unknown>);
      case 'files':
      case 'list':
        return (...args) => list(() => method(...args) as AsyncIterable<unknown>);
      case 'bytes':
        return (...args) => stream(() => method(...args) as ReadableStream<unknown>);
      case 'own':
        return method;
    }
  };
  const useOf = (key: string | symbol): Use => {
    if (Object.hasOwn(table, key)) {
      return table[key as keyof T]!.way;
    }
    return Object.hasOwn(OTHERS, key) ? OTHERS[key as keyof typeof OTHERS] : 'own';
  };
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(own, key)) {
        return Reflect.get(own, key) as unknown;
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? methodOf(useOf(key), value.bind(target) as Method) : value;
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
  const reader = guarded(repo, REPO, over, refuse, {
    meta: guarded(repo.meta, META, over, refuse),
    branch: (name) => guarded(repo.branch(name), BRANCH, over, refuse),
  });
  giveReadAccess(reader, repo, storage);
  return reader;
};
