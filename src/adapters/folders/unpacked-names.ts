/**
 * File names of an unpacked repository. `collection/rkey` becomes `<collection>/<rkey>.json`, as `goat repo unpack`
 * names it. A text that some file system refuses or confuses with another one is escaped:
 *
 * - `:`, a trailing dot, and the first character of a device name of Windows (`con`, `nul.txt`) become `%` and two
 *   hexadecimal digits.
 * - The first dot of a record key that begins with `._`, because macOS adds such files. A dot or `_` at the start of a
 *   collection that is not an NSID, because hidden folders, `_commit.json` and `_blobs` are not collections.
 * - If two names in a folder differ only by case, their upper-case letters are escaped too.
 * - A name of more than {@link MAX_PART} characters is cut. Each part but the last is a folder whose name ends in `%`.
 *   Its upper-case letters are escaped.
 *
 * The letters of `%` escapes are lower-case, so two names never differ only by case.
 */
import { RepoError } from '../../core/errors.ts';

/** The file of the commit. */
export const COMMIT_NAME = '_commit.json';
/** The folder of the blobs. */
export const BLOBS_NAME = '_blobs';

/** The longest part of a name, without its ending. File systems allow 255 bytes. */
export const MAX_PART = 200;

const CONTINUES = '%';

const UNSAFE = /[^A-Za-z0-9._~-]/g;
const APPLE_DOUBLE = /^\.(?=_)/;
const UPPER_CASE = /[A-Z]/g;
const TRAILING_DOT = /\.$/;
const DEVICE = /^(?:aux|com\d|con|conin\$|conout\$|lpt\d|nul|prn)(?=\.|$)/i;

const escapeOne = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Cuts an escaped text into parts, without cutting an escape. */
const partsOf = (text: string): string[] => {
  const parts: string[] = [''];
  for (const [character] of text.matchAll(/%[0-9a-f]{2}|./gs)) {
    if (parts.at(-1)!.length + character.length > MAX_PART) {
      parts.push('');
    }
    parts[parts.length - 1] += character;
  }
  return parts;
};

const safePart = (part: string): string =>
  DEVICE.test(part) ? escapeOne(part) + part.slice(1) : part.replace(TRAILING_DOT, escapeOne);

/**
 * Returns the path of a text: one part, or several for a long text.
 * @param isConfusable Whether another text in the same folder differs from it only by case.
 */
export const encodeName = (text: string, isConfusable: boolean): string => {
  const safe = text.replace(UNSAFE, escapeOne).replace(APPLE_DOUBLE, escapeOne);
  const isLong = safe.length > MAX_PART;
  return partsOf(isConfusable || isLong ? safe.replace(UPPER_CASE, escapeOne) : safe)
    .map(safePart)
    .join(`${CONTINUES}/`);
};

/** Returns the path of a collection's folder. It is not hidden, and not the name of another entry of the layout. */
export const encodeCollection = (text: string, isConfusable: boolean): string =>
  encodeName(text, isConfusable).replace(/^[._]/, escapeOne);

/** Whether the name of a folder is a part of a longer name. */
export const isContinued = (name: string): boolean => name.endsWith(CONTINUES);

/**
 * Returns the text of joined parts, without the `%` at the end of each part but the last.
 * @throws {RepoError} `Malformed` if an escape is not valid.
 */
export const decodeName = (name: string, path: string): string => {
  if (/%(?![0-9a-fA-F]{2})/.test(name)) {
    throw new RepoError(
      'Malformed',
      `the name of a file has a % without two hexadecimal digits: write the record key as unpack does; path=${path}`,
    );
  }
  return name.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
};

/** Finds texts that differ only by case. */
export interface CaseConflicts {
  /** Adds a text. Texts must be in byte order, so that upper-case letters come first. */
  add(text: string): void;
  /** Whether a text with another case was added. Call it after the last {@link add}. */
  has(text: string): boolean;
}

/** Returns a {@link CaseConflicts}. Its memory grows only with texts that have upper-case letters. */
export const createCaseConflicts = (): CaseConflicts => {
  const withUpperCase = new Set<string>();
  const conflicts = new Set<string>();
  return {
    add(text) {
      const folded = text.toLowerCase();
      if (withUpperCase.has(folded)) {
        conflicts.add(folded);
      } else if (folded !== text) {
        withUpperCase.add(folded);
      }
    },
    has: (text) => conflicts.size > 0 && conflicts.has(text.toLowerCase()),
  };
};
