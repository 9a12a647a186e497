/** Values that an application stores beside the repository, such as cursors. They are not part of any commit. */
import { RepoError } from '../../errors.ts';
import type { BlockChange, BlockStore } from '../../storage/ports.ts';

/** Prefix of an application's names. All other names belong to this library. */
export const META_PREFIX = 'app:';
/** Most UTF-8 bytes of a name, `app:` included. */
export const MAX_META_NAME_SIZE = 256;
/** Most UTF-8 bytes of a value. */
export const MAX_META_VALUE_SIZE: number = 1024 * 1024;

/** Values to set together with a change of the head. `null` removes a value. Every name begins with `app:`. */
export type MetaValues = Readonly<Record<string, string | null>>;

/** The values of an application. Each is durable once its call resolves. */
export interface RepoMeta {
  /** Returns a value, or `undefined`. */
  get(name: string): Promise<string | undefined>;
  /**
   * Sets a value, or removes it with `undefined`. Over a worker, a call whose result was lost rejects with
   * `OutcomeUnknown`: repeat it.
   * @throws {TypeError} when `name` does not begin with `app:`, has more than `MAX_META_NAME_SIZE` bytes or a U+0000,
   *   or when name or value is not a well-formed text.
   * @throws {RepoError} `LimitExceeded` when the value has more than `MAX_META_VALUE_SIZE` bytes.
   */
  set(name: string, value: string | undefined): Promise<void>;
  /**
   * Lists the values whose names begin with `prefix` (default: `app:`), in the order of the UTF-8 bytes of the names.
   * @throws {TypeError} when the prefix does not begin with `app:`.
   */
  list(prefix?: string): AsyncIterable<[name: string, value: string]>;
}

/** Returns the size of a text in UTF-8 bytes. */
const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** @throws {TypeError} when the text does not begin with `app:` or cannot be the start of a name. */
export const assertMetaPrefix = (prefix: unknown): void => {
  if (typeof prefix !== 'string' || !prefix.startsWith(META_PREFIX)) {
    const given = String(prefix).slice(0, 80);
    throw new TypeError(`expected a meta name that begins with ${META_PREFIX}; name=${given}`);
  }
  if (!prefix.isWellFormed() || prefix.includes('\0') || sizeOf(prefix) > MAX_META_NAME_SIZE) {
    throw new TypeError(
      `expected a meta name of at most ${MAX_META_NAME_SIZE} bytes, without U+0000 and lone surrogates; ` +
        `name=${prefix.slice(0, 80)}`,
    );
  }
};

/** @throws {TypeError} as in {@link RepoMeta.set}. */
export const assertMetaValue = (name: string, value: unknown): void => {
  assertMetaPrefix(name);
  if (value === undefined) {
    return;
  }
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new TypeError(`expected a meta value that is a text without lone surrogates; name=${name}`);
  }
  if (value.length > MAX_META_VALUE_SIZE || sizeOf(value) > MAX_META_VALUE_SIZE) {
    const limit = `limit=${MAX_META_VALUE_SIZE}`;
    throw new RepoError(
      'LimitExceeded',
      `the meta value is too large: split it, or store it as a blob; name=${name} ${limit}`,
    );
  }
};

/** @throws as in {@link RepoMeta.set}, for the first value that cannot be set. */
export const assertMetaValues = (values: MetaValues | undefined): void => {
  if (values === undefined) {
    return;
  }
  if (typeof values !== 'object' || values === null) {
    throw new TypeError(`expected an object of names and values as the option meta; type=${typeof values}`);
  }
  for (const [name, value] of Object.entries(values)) {
    assertMetaValue(name, value ?? undefined);
  }
};

/** Sets the values of the option `meta`. Part of the change of the head. */
export const setMetaValues = async (change: BlockChange, values: MetaValues | undefined): Promise<void> => {
  for (const [name, value] of Object.entries(values ?? {})) {
    await change.setMeta(name, value ?? undefined);
  }
};

/**
 * `Repo.meta`.
 * @param store Throws after the repository was closed.
 */
export const createMeta = (store: () => BlockStore): RepoMeta => ({
  async get(name) {
    assertMetaPrefix(name);
    return store().meta(name);
  },
  async set(name, value) {
    assertMetaValue(name, value);
    await store().transact((change) => change.setMeta(name, value));
  },
  async *list(prefix = META_PREFIX) {
    assertMetaPrefix(prefix);
    yield* store().metaEntries(prefix);
  },
});
