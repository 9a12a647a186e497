/**
 * A backup: the files of a repository and, last of all, `manifest.json`, which says what they are. Whoever has the
 * manifest can tell whether the others are whole.
 */
import { cidTextToBytes } from '../../data/cid.ts';
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

/** The bytes of the manifest. */
export const encodeManifest = ({ files, ...about }: BackupManifest): Uint8Array => {
  const manifest = { version: VERSION, ...about, files: Object.fromEntries(files) };
  return new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 1)}\n`);
};

/**
 * Reads a manifest, which may come from anywhere: its paths lead to the files of a repository and nowhere else.
 * @throws {RepoError} `Malformed`; `UnknownVersion` when a newer version of this library wrote it.
 */
export const decodeManifest = (bytes: Uint8Array): BackupManifest => {
  const { version, did, head, rev, counts, files, created } = asMap(parse(bytes), 'the manifest');
  if (!isCount(version) || version < 1) {
    throw malformed('its version is none');
  }
  if (version > VERSION) {
    throw new RepoError(
      'UnknownVersion',
      `a newer version of this library wrote the backup; version=${version} known=${VERSION}`,
    );
  }
  if (typeof did !== 'string' || typeof created !== 'string') {
    throw malformed('did and created are texts');
  }
  try {
    assertDid(did);
  } catch (cause) {
    throw isRepoError(cause) ? new RepoError('Malformed', `${MANIFEST_PATH}: ${cause.message}`, { cause }) : cause;
  }
  if (!isTextOrNull(head) || !isTextOrNull(rev)) {
    throw malformed('head and rev are texts or null');
  }
  const counted = asMap(counts, 'counts');
  if (!COUNTS.every((name) => isCount(counted[name]))) {
    throw malformed('a count is missing');
  }
  const known = decodeFiles(asMap(files, 'files'));
  if (!known.has(MAIN_NAME)) {
    throw malformed(`it knows no ${MAIN_NAME}`);
  }
  return { did, head, rev, counts: counted as BackupManifest['counts'], files: known, created };
};

/** Whether a path is one of a file that a backup may have, beside the manifest. */
export const isBackupPath = (path: string): boolean => {
  const folder = `${BLOBS_FOLDER}/`;
  const name = path.slice(folder.length);
  const isBlob = path.startsWith(folder) && BLOB_NAME.test(name) && cidTextToBytes(name) !== undefined;
  return path === MAIN_NAME || isBlob;
};

const decodeFiles = (files: Readonly<Record<string, unknown>>): Map<string, BackedUpFile> => {
  const known = new Map<string, BackedUpFile>();
  for (const [path, about] of Object.entries(files)) {
    const { size, sha256 } = asMap(about, 'a file');
    if (!isBackupPath(path) || !isCount(size) || typeof sha256 !== 'string' || !SHA256.test(sha256)) {
      throw malformed(`not a file of a repository; path=${path.slice(0, 120)}`);
    }
    known.set(path, { size, sha256 });
  }
  return known;
};

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RepoError('Malformed', `${MANIFEST_PATH}: it is no JSON`, { cause });
  }
};

const malformed = (message: string): RepoError => new RepoError('Malformed', `${MANIFEST_PATH}: ${message}`);

const asMap = (value: unknown, what: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`${what} is no map`);
  }
  return value as Readonly<Record<string, unknown>>;
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';
