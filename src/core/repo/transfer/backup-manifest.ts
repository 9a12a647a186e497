/**
 * The manifest of a backup. `manifest.json` lists all other files with sizes and hashes, and is written last. So it
 * proves that a backup is complete.
 */
import { cidTextToBytes } from '../../data/cid.ts';
import { JsonMaps } from '../../data/json-maps.ts';
import { BLOBS_FOLDER, MAIN_NAME } from '../../storage/layout.ts';
import { RepoError, isRepoError } from '../../errors.ts';
import type { LongWork } from '../long-work.ts';
import { assertDid } from '../../syntax/identifiers.ts';

export interface BackupOptions extends LongWork {
  /**
   * Also copies a damaged repository, without its damaged blobs. By default, damage rejects with `Corrupt`, because the
   * backup may replace a sound one.
   */
  readonly damaged?: boolean | undefined;
}

/** Size and hash of one file. */
export interface BackedUpFile {
  /** In bytes. */
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** `manifest.json`. */
export interface BackupManifest {
  readonly did: string;
  /** The text of the head's CID, or `null` before the first commit. */
  readonly head: string | null;
  readonly rev: string | null;
  readonly counts: {
    readonly blobs: number;
    readonly blocks: number;
    readonly commits: number;
    readonly records: number;
  };
  /** All other files, by path. */
  readonly files: ReadonlyMap<string, BackedUpFile>;
  /** Time of the backup, in ISO 8601. */
  readonly created: string;
}

export const MANIFEST_PATH = 'manifest.json';

/** The version that is written, and the newest that can be read. */
const VERSION = 1;

/** The largest manifest in bytes: three million blobs with 180 bytes per line. */
export const MAX_MANIFEST_SIZE: number = 512 * 1024 * 1024;

const BLOB_NAME = /^[a-z2-7]{59}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const COUNTS = ['blobs', 'blocks', 'commits', 'records'] as const;
type Count = (typeof COUNTS)[number];
const FILE_FIELDS = ['size', 'sha256'] as const;
type FileField = (typeof FILE_FIELDS)[number];
const FILE_VALUES: Readonly<Record<FileField, (value: unknown) => boolean>> = {
  size: (value) => isCount(value),
  sha256: (value) => typeof value === 'string' && SHA256.test(value),
};
const MAPS: Readonly<Record<string, true>> = { counts: true, files: true };

/** Most bytes of a manifest outside of `files`. A DID may have 2,048. */
const MANIFEST_BYTES = 8192;
/** Most bytes per file. `encodeManifest` writes 190. */
const FILE_BYTES = 512;
/** The size is checked after each step of this many bytes. */
const STEP = 4096;

/** Encodes a manifest. */
export const encodeManifest = ({ files, ...about }: BackupManifest): Uint8Array => {
  const manifest = { version: VERSION, ...about, files: Object.fromEntries(files) };
  return new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 1)}\n`);
};

/** An incremental reader of a manifest. */
export interface ManifestReader {
  /**
   * Reads the next bytes.
   * @throws {RepoError} `Malformed`; `UnknownVersion` when a newer version of this library wrote it; `LimitExceeded`
   *   for more than `MAX_MANIFEST_SIZE` bytes.
   */
  push(bytes: Uint8Array): void;
  /**
   * Returns the manifest. Call it after the last bytes.
   * @throws {RepoError} as in `push`.
   */
  end(): BackupManifest;
}

/** Fields that have been read. */
interface Found {
  version?: number;
  did?: string;
  created?: string;
  head?: string | null;
  rev?: string | null;
}

/** Tests of the values of fields that are not maps. */
const LEAVES: Readonly<Record<keyof Found, (value: unknown) => boolean>> = {
  version: (value) => isCount(value) && value > 0,
  did: (value) => typeof value === 'string',
  created: (value) => typeof value === 'string',
  head: isTextOrNull,
  rev: isTextOrNull,
};

/**
 * Returns a reader for an untrusted manifest. It accepts only paths of repository files. It rejects an unknown field
 * before it reads the value, and a size that does not fit the number of files.
 */
export const createManifestReader = (): ManifestReader => {
  const found: Found = {};
  const counts: Partial<Record<Count, number>> = {};
  const files = new Map<string, Partial<Record<'sha256', string> & Record<'size', number>>>();
  const maps = new Set<string>();
  let bytesRead = 0;

  const isNew = (key: string, known: object): boolean => !Object.hasOwn(known, key);
  const takesKey = ([field = '', key = '', part = '']: readonly string[], depth: number): boolean => {
    if (depth === 1) {
      return Object.hasOwn(MAPS, field) ? !maps.has(field) : Object.hasOwn(LEAVES, field) && isNew(field, found);
    }
    if (field === 'counts') {
      return depth === 2 && isOneOf(COUNTS, key) && isNew(key, counts);
    }
    return depth === 2
      ? isBackupPath(key) && !files.has(key)
      : isOneOf(FILE_FIELDS, part) && isNew(part, files.get(key)!);
  };

  const json = new JsonMaps({
    key(path) {
      const depth = path.length;
      const [field = '', key = ''] = path;
      if (!takesKey(path, depth)) {
        throw malformed(
          `unknown or duplicate field: use another backup; field=${JSON.stringify(path.join(' ').slice(0, 120))}`,
        );
      }
      const isMap = depth === 1 ? Object.hasOwn(MAPS, field) : depth === 2 && field === 'files';
      if (isMap) {
        if (depth === 1) {
          maps.add(field);
        } else {
          files.set(key, {});
        }
      }
      return isMap;
    },
    leaf([field = '', key = '', part = ''], value) {
      const isRight =
        part !== ''
          ? FILE_VALUES[part as FileField](value)
          : key !== ''
            ? isCount(value)
            : LEAVES[field as keyof Found](value);
      if (!isRight) {
        throw malformed(
          `a field has an invalid value: use another backup; field=${[field, key, part].join(' ').trim().slice(0, 120)}`,
        );
      }
      Object.assign(part !== '' ? files.get(key)! : key !== '' ? counts : found, { [part || key || field]: value });
      if (found.version !== undefined && found.version > VERSION) {
        throw new RepoError(
          'UnknownVersion',
          `a newer version of this library wrote the backup: update pdsdb to read it; version=${found.version} known=${VERSION}`,
        );
      }
    },
  });

  const assertBounded = (): void => {
    if (bytesRead > MAX_MANIFEST_SIZE) {
      throw new RepoError(
        'LimitExceeded',
        `${MANIFEST_PATH} is larger than ${MAX_MANIFEST_SIZE} bytes: back up again; bytes=${bytesRead}`,
      );
    }
    if (bytesRead > MANIFEST_BYTES + (files.size + 1) * FILE_BYTES) {
      throw malformed(`too large for its number of files: back up again; bytes=${bytesRead} files=${files.size}`);
    }
  };
  return {
    push(bytes) {
      for (let at = 0; at < bytes.length; at += STEP) {
        const part = bytes.subarray(at, at + STEP);
        named(() => json.push(part));
        bytesRead += part.length;
        assertBounded();
      }
    },
    end() {
      named(() => json.end());
      return wholeManifest(found, counts, files);
    },
  };
};

/**
 * Decodes a manifest.
 * @throws {RepoError} as in {@link ManifestReader}.
 */
export const decodeManifest = (bytes: Uint8Array): BackupManifest => {
  const reader = createManifestReader();
  reader.push(bytes);
  return reader.end();
};

const wholeManifest = (
  { version, did, created, head, rev }: Found,
  counts: Partial<Record<Count, number>>,
  files: ReadonlyMap<string, Partial<BackedUpFile>>,
): BackupManifest => {
  const [blobs, blocks, commits, records] = COUNTS.map((name) => counts[name]);
  const isIncomplete = [version, did, created, head, rev, blobs, blocks, commits, records].includes(undefined);
  if (isIncomplete || !files.has(MAIN_NAME)) {
    throw malformed(
      isIncomplete ? 'a field is missing: back up again' : `the file ${MAIN_NAME} is not listed: back up again`,
    );
  }
  for (const [path, { size, sha256 }] of files) {
    if (size === undefined || sha256 === undefined) {
      throw malformed(`a file has no size or no hash: back up again; path=${path}`);
    }
  }
  named(() => assertDid(did!));
  const counted = { blobs: blobs!, blocks: blocks!, commits: commits!, records: records! };
  return {
    did: did!,
    head: head!,
    rev: rev!,
    counts: counted,
    files: files as ReadonlyMap<string, BackedUpFile>,
    created: created!,
  };
};

/** Returns whether a path is valid for a file of a backup other than the manifest. */
export const isBackupPath = (path: string): boolean => {
  const folder = `${BLOBS_FOLDER}/`;
  const name = path.slice(folder.length);
  const isBlob = path.startsWith(folder) && BLOB_NAME.test(name) && cidTextToBytes(name) !== undefined;
  return path === MAIN_NAME || isBlob;
};

const malformed = (message: string): RepoError => new RepoError('Malformed', `${MANIFEST_PATH}: ${message}`);

/** Runs a function and adds the name of the manifest to its errors. */
const named = (run: () => void): void => {
  try {
    run();
  } catch (cause) {
    const isOurs = isRepoError(cause) && cause.code !== 'UnknownVersion' && !cause.message.startsWith(MANIFEST_PATH);
    throw isOurs ? new RepoError('Malformed', `${MANIFEST_PATH}: ${cause.message}`, { cause }) : cause;
  }
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name);
