/** Values that an application keeps beside the repository, such as cursors. They are not part of any commit. */
import { RepoError } from '../../errors.ts';
import type { BlockChange, BlockStore } from '../../storage/ports.ts';

/** The names of an application begin with this. All other names belong to this library. */
export const META_PREFIX = 'app:';
/** The most UTF-8 bytes that a name has, `app:` included. */
export const MAX_META_NAME_SIZE = 256;
/** The most UTF-8 bytes that a value has. */
export const MAX_META_VALUE_SIZE: number = 1024 * 1024;

/** Values to set together with a change of the head; `null` removes one. Every name begins with `app:`. */
export type MetaValues = Readonly<Record<string, string | null>>;

/** The values of an application. Each is durable once its call resolves. */
export interface RepoMeta {
  /** Returns a value, or `undefined`. */
  get(name: string): Promise<string | undefined>;
  /**
   * Sets a value, or removes it with `undefined`. Through a worker, a call whose answer is lost rejects with
   * `OutcomeUnknown`, and the caller repeats it.
   * @throws {TypeError} unless `name` begins with `app:`, has at most `MAX_META_NAME_SIZE` bytes and no U+0000, and
   *   both are well-formed texts.
   * @throws {RepoError} `LimitExceeded` when the value has more than `MAX_META_VALUE_SIZE` bytes.
   */
  set(name: string, value: string | undefined): Promise<void>;
  /**
   * Lists the values whose names begin with `prefix` (`app:` when left out), in the order of the UTF-8 bytes of the
   * names.
   * @throws {TypeError} unless the prefix begins with `app:`.
   */
  list(prefix?: string): AsyncIterable<[name: string, value: string]>;
}

/** How many bytes a text has in UTF-8. Encodes only what may be too long. */
const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** @throws {TypeError} unless the text begins with `app:` and can begin a name. */
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

/** @throws {TypeError} {@link RepoMeta.set} */
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
    throw new RepoError('LimitExceeded', `the meta value has too many bytes; name=${name} ${limit}`);
  }
};

/** @throws as {@link RepoMeta.set} does, for the first value that cannot be set. */
export const assertMetaValues = (values: MetaValues | undefined): void => {
  if (values === undefined) {
    return;
  }
  if (typeof values !== 'object' || values === null) {
    throw new TypeError('expected an object of names and values; option=meta');
  }
  for (const [name, value] of Object.entries(values)) {
    assertMetaValue(name, value ?? undefined);
  }
};

/** Sets the values of an option; part of the change that they belong to. */
export const setMetaValues = async (change: BlockChange, values: MetaValues | undefined): Promise<void> => {
  for (const [name, value] of Object.entries(values ?? {})) {
    await change.setMeta(name, value ?? undefined);
  }
};

/** `Repo.meta`. @param store Throws once the repository is closed. */
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
