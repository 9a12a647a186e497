/** Compares imported files with the manifest of their backup, if there is one. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { forEachChunk } from '../../core/data/streams.ts';
import { WAL_NAME } from '../../core/storage/layout.ts';
import type { BackedUpFile, BackupManifest } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupContent, BackupFile } from '../../core/storage/backup-file.ts';
import { createManifestReader, isBackupPath, MAX_MANIFEST_SIZE } from '../../core/repo/transfer/backup-manifest.ts';
import { cidToText } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { CreateHash } from '../../core/data/sha256.ts';

export interface ManifestCheck {
  /** Returns the content of a file. Reading it computes its hash. */
  watch(file: BackupFile): BackupContent;
  /**
   * Reads the manifest, before or after the files that it lists.
   * @throws {RepoError} `Malformed`, `UnknownVersion`, `LimitExceeded`.
   */
  take(content: BackupContent): Promise<void>;
  /** @throws {RepoError} `Malformed` if a file does not match the manifest. The message names the file. */
  assertWhole(): void;
}

const readManifest = async (content: BackupContent): Promise<BackupManifest> => {
  const { size } = content;
  if (size > MAX_MANIFEST_SIZE) {
    throw new RepoError(
      'LimitExceeded',
      `manifest.json has more than ${MAX_MANIFEST_SIZE} bytes: use another backup; size=${size}`,
    );
  }
  const reader = createManifestReader();
  await forEachChunk(content.stream(), (chunk) => reader.push(chunk));
  return reader.end();
};

export const createManifestCheck = (createHash: CreateHash): ManifestCheck => {
  const came = new Map<string, BackedUpFile>();
  let manifest: BackupManifest | undefined;
  let hasLog = false;
  return {
    watch({ path, content }) {
      hasLog ||= path === WAL_NAME && content.size > 0;
      if (!isBackupPath(path)) {
        // As a call, because `stream` of a `Blob` needs its `this`.
        return { size: content.size, stream: () => content.stream() };
      }
      const hash = createHash();
      let size = 0;
      const counted = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          hash.update(chunk);
          size += chunk.length;
          controller.enqueue(chunk);
        },
        flush() {
          came.set(path, { size, sha256: bytesToHex(hash.digest()) });
        },
      });
      return { size: content.size, stream: () => content.stream().pipeThrough(counted) };
    },
    async take(content) {
      manifest = await readManifest(content);
    },
    assertWhole() {
      if (manifest !== undefined && hasLog) {
        // SQLite would apply it to the database, whose hash the manifest has.
        throw new RepoError(
          'Malformed',
          `the backup is damaged: the manifest does not list this file. Remove it from the backup; path=${WAL_NAME}`,
        );
      }
      for (const [path, { size, sha256 }] of manifest?.files ?? []) {
        const found = came.get(path);
        if (found === undefined || found.size !== size || found.sha256 !== sha256) {
          throw new RepoError(
            'Malformed',
            `the backup is damaged: a file ${found === undefined ? 'is missing' : 'does not match the hash in the manifest'}. Use another backup; path=${path}`,
          );
        }
      }
    },
  };
};

/** The properties of a repository in a manifest, in the order of comparison. */
type Described = readonly (readonly [what: string, value: number | string | null])[];

/** Counts the keys of the tree. `info` may have the count of a stored value, which a forged backup brings along. */
const countRecords = async (repo: Repo): Promise<number> => {
  let count = 0;
  for await (const _ of (await repo.checkout()).entries()) {
    count += 1;
  }
  return count;
};

/** Returns the properties of a repository. If damage prevents counting, returns only `did` and `head`. */
const describe = async (repo: Repo): Promise<Described> => {
  try {
    const records = await countRecords(repo);
    const { did, head, rev, blobs, blocks, commits } = await repo.info();
    const names = [
      ['did', did],
      ['head', head === undefined ? null : cidToText(head)],
      ['rev', rev ?? null],
    ] as const;
    return [...names, ['blobs', blobs], ['blocks', blocks], ['commits', commits], ['records', records]];
  } catch (error) {
    if (!isRepoError(error) || error.code === 'StorageFailed') {
      throw error;
    }
    const head = (await repo.refs()).get('main');
    return [
      ['did', repo.did],
      ['head', head === undefined ? null : cidToText(head)],
    ];
  }
};

/**
 * Checks that a manifest describes a repository. Matching file hashes are not enough, because a forged manifest may
 * list the hashes of other files.
 * @throws {RepoError} `Malformed`. The message names the difference.
 */
export const assertDescribed = async (repo: Repo, { did, head, rev, counts }: BackupManifest): Promise<void> => {
  const said: Readonly<Record<string, unknown>> = { did, head, rev, ...counts };
  for (const [what, value] of await describe(repo)) {
    if (value !== said[what]) {
      throw new RepoError(
        'Malformed',
        `the backup is damaged: its manifest describes another repository. Use another backup; ${what}=${value} manifest=${String(said[what])}`,
      );
    }
  }
};
