/**
 * A backup: the files of a repository and, last of all, `manifest.json`, which says what they are. Whoever has the
 * manifest can tell whether the others are whole.
 */
import { cidTextToBytes } from '../../data/cid.ts';
import { JsonMaps } from '../../data/json-maps.ts';
import { BLOBS_FOLDER, MAIN_NAME } from '../../storage/layout.ts';
import { RepoError, isRepoError } from '../../errors.ts';
import type { LongWork } from '../long-work.ts';
import { assertDid } from '../../syntax/identifiers.ts';

export interface BackupOptions extends LongWork {
  /**
   * Also copies a repository that `verify` finds damaged, without the blobs that are. Refused when left out: the backup
   * may be about to take the place of a good one.
   */
  readonly damaged?: boolean | undefined;
}

/** What is known of one file. */
export interface BackedUpFile {
  /** In bytes. */
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** `manifest.json`. */
export interface BackupManifest {
  readonly did: string;
  /** The text of the head's CID; `null` when there was no commit yet. */
  readonly head: string | null;
  readonly rev: string | null;
  readonly counts: {
    readonly blobs: number;
    readonly blocks: number;
    readonly commits: number;
    readonly records: number;
  };
  /** Every other file, by path. */
  readonly files: ReadonlyMap<string, BackedUpFile>;
  /** When it was made, as ISO 8601 says it. */
  readonly created: string;
}

export const MANIFEST_PATH = 'manifest.json';

/** The version of the manifest that is written here, and the newest that is read. */
const VERSION = 1;

/** A line of a blob has 180 bytes: room for three million of them. */
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

/** Bytes of a manifest beside those of its files: an account's DID may have 2,048. */
const MANIFEST_BYTES = 8192;
/** Bytes of a file in it: 190 as they are written here. */
const FILE_BYTES = 512;
/** Bytes after which the size is compared with the files so far. */
const STEP = 4096;

/** The bytes of the manifest. */
export const encodeManifest = ({ files, ...about }: BackupManifest): Uint8Array => {
  const manifest = { version: VERSION, ...about, files: Object.fromEntries(files) };
  return new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 1)}\n`);
};

/** Reads a manifest as its bytes come. */
export interface ManifestReader {
  /**
   * Takes the next bytes.
   * @throws {RepoError} `Malformed`; `UnknownVersion` when a newer version of this library wrote it; `LimitExceeded`
   *   for more bytes than any manifest has.
   */
  push(bytes: Uint8Array): void;
  /** Returns the manifest, when the bytes have ended. @throws {RepoError} As `push` does. */
  end(): BackupManifest;
}

/** What has been read, by the names of the fields. */
interface Found {
  version?: number;
  did?: string;
  created?: string;
  head?: string | null;
  rev?: string | null;
}

/** By the name of each field that is not a map, whether a value is one of it. */
const LEAVES: Readonly<Record<keyof Found, (value: unknown) => boolean>> = {
  version: (value) => isCount(value) && value > 0,
  did: (value) => typeof value === 'string',
  created: (value) => typeof value === 'string',
  head: isTextOrNull,
  rev: isTextOrNull,
};

/**
 * Makes a reader of a manifest, which may come from anywhere: its paths lead to the files of a repository and nowhere
 * else. It refuses a field that it does not know before it reads its value, and more bytes than the files account for.
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
        throw malformed(`it has an unknown field, or one twice; field=${JSON.stringify(path.join(' ').slice(0, 120))}`);
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
        throw malformed(`a field has another value; field=${[field, key, part].join(' ').trim().slice(0, 120)}`);
      }
      Object.assign(part !== '' ? files.get(key)! : key !== '' ? counts : found, { [part || key || field]: value });
      if (found.version !== undefined && found.version > VERSION) {
        throw new RepoError(
          'UnknownVersion',
          `a newer version of this library wrote the backup; version=${found.version} known=${VERSION}`,
        );
      }
    },
  });

  const assertBounded = (): void => {
    if (bytesRead > MAX_MANIFEST_SIZE) {
      throw new RepoError('LimitExceeded', `a manifest has at most ${MAX_MANIFEST_SIZE} bytes`);
    }
    if (bytesRead > MANIFEST_BYTES + (files.size + 1) * FILE_BYTES) {
      throw malformed(`it is larger than its files account for; bytes=${bytesRead} files=${files.size}`);
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

/** Reads a manifest. @throws {RepoError} As {@link ManifestReader} does. */
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
    throw malformed(isIncomplete ? 'a field is missing' : `it has no ${MAIN_NAME}`);
  }
  for (const [path, { size, sha256 }] of files) {
    if (size === undefined || sha256 === undefined) {
      throw malformed(`a file has no size or no hash; path=${path}`);
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

/** Whether a path is one of a file that a backup may have, beside the manifest. */
export const isBackupPath = (path: string): boolean => {
  const folder = `${BLOBS_FOLDER}/`;
  const name = path.slice(folder.length);
  const isBlob = path.startsWith(folder) && BLOB_NAME.test(name) && cidTextToBytes(name) !== undefined;
  return path === MAIN_NAME || isBlob;
};

const malformed = (message: string): RepoError => new RepoError('Malformed', `${MANIFEST_PATH}: ${message}`);

/** Runs something whose errors do not say yet that they are about the manifest. */
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
