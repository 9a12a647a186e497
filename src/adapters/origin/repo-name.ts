/** The names of repositories in a browser, with one rule for every storage. */

/** The longest file name in file systems. Some browsers store OPFS in folders of the same names. */
const MAX_NAME_LENGTH = 255;

/**
 * ASCII that needs no escaping in OPFS, in IndexedDB and in a URL. A DID and a handle match.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:%-]*$/;

/**
 * Whether a value is a valid name of a repository: 1 to 255 of the characters `A-Z a-z 0-9 . _ : % -`, with a letter or
 * a digit first.
 */
export const isRepoName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= MAX_NAME_LENGTH && NAME.test(name);

/** @throws {TypeError} if `name` is not a valid name of a repository. */
export const assertRepoName: (name: unknown) => asserts name is string = (name) => {
  if (!isRepoName(name)) {
    const rule = `use 1 to ${MAX_NAME_LENGTH} of A-Z a-z 0-9 . _ : % -, with a letter or a digit first`;
    throw new TypeError(`not a valid name of a repository: ${rule}; name=${String(name).slice(0, 80)}`);
  }
};
