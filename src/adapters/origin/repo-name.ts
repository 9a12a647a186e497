/** The names of repositories in a browser: one rule for whatever they are kept in. */

/** The longest name of a file that file systems take: some browsers keep OPFS in folders of the same names. */
const MAX_NAME_LENGTH = 255;

/**
 * ASCII, beginning with a letter or a digit, so that it is a name in OPFS, in IndexedDB and in a URL as it stands. A
 * DID is one, and so is a handle.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:%-]*$/;

/**
 * Whether a text can be the name of a repository: 1 to 255 of the characters `A-Z a-z 0-9 . _ : % -`, the first one a
 * letter or a digit.
 */
export const isRepoName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= MAX_NAME_LENGTH && NAME.test(name);

/** @throws {TypeError} unless it can be the name of a repository. */
export const assertRepoName: (name: unknown) => asserts name is string = (name) => {
  if (!isRepoName(name)) {
    const rule = `1 to ${MAX_NAME_LENGTH} of A-Z a-z 0-9 . _ : % -, beginning with a letter or a digit`;
    throw new TypeError(`a repository's name is ${rule}; name=${String(name).slice(0, 80)}`);
  }
};
