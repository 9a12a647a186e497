/** Files that come in, against the manifest of the backup that they are of, if there is one. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { forEachChunk } from '../../core/data/streams.ts';
import { WAL_NAME } from '../../core/storage/layout.ts';
import type { BackedUpFile, BackupManifest } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupContent, BackupFile } from '../../core/storage/backup-file.ts';
import { createManifestReader, isBackupPath, MAX_MANIFEST_SIZE } from '../../core/repo/transfer/backup-manifest.ts';
import { cidToText } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { sha256Stream } from '../../core/data/sha256.ts';

export interface ManifestCheck {
  /** The content of a file, which is hashed as it is read. */
  watch(file: BackupFile): BackupContent;
  /**
   * Reads the manifest, before or after the files that it names.
   * @throws {RepoError} `Malformed`, `UnknownVersion`, `LimitExceeded`.
   */
  take(content: BackupContent): Promise<void>;
  /** @throws {RepoError} `Malformed`, naming the file, unless there is no manifest or everything is what it says. */
  assertWhole(): void;
}

const readManifest = async (content: BackupContent): Promise<BackupManifest> => {
  const { size } = content;
  if (size > MAX_MANIFEST_SIZE) {
    throw new RepoError('LimitExceeded', `a manifest has at most ${MAX_MANIFEST_SIZE} bytes; size=${size}`);
  }
  const reader = createManifestReader();
  await forEachChunk(content.stream(), (chunk) => reader.push(chunk));
  return reader.end();
};

export const createManifestCheck = (): ManifestCheck => {
  const came = new Map<string, BackedUpFile>();
  let manifest: BackupManifest | undefined;
  let hasLog = false;
  return {
    watch({ path, content }) {
      hasLog ||= path === WAL_NAME && content.size > 0;
      if (!isBackupPath(path)) {
        // Bound: a `Blob` knows its own stream only when it is asked itself.
        return { size: content.size, stream: () => content.stream() };
      }
      const hash = sha256Stream();
      let size = 0;
      const counted = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          hash.update(piece);
          size += piece.length;
          controller.enqueue(piece);
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
        // SQLite would copy it into the database that the manifest vouches for.
        throw new RepoError(
          'Malformed',
          `the backup is damaged: there is a log that the manifest does not name; path=${WAL_NAME}`,
        );
      }
      for (const [path, { size, sha256 }] of manifest?.files ?? []) {
        const found = came.get(path);
        if (found === undefined || found.size !== size || found.sha256 !== sha256) {
          throw new RepoError(
            'Malformed',
            `the backup is damaged: a file is ${found === undefined ? 'missing' : 'not the one that the manifest names'}; path=${path}`,
          );
        }
      }
    },
  };
};

/** What a manifest says of a repository, in the order in which it is compared. */
type Described = readonly (readonly [what: string, value: number | string | null])[];

/** Where a tree cannot be read, or the list of commits, nobody can count: of such damage the head alone is compared. */
const describe = async (repo: Repo): Promise<Described> => {
  try {
    const { did, head, rev, blobs, blocks, commits, records } = await repo.info();
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
 * Whether a repository is the one that a manifest describes, beyond the hashes of its files: those are as easily made
 * to fit as the words.
 * @throws {RepoError} `Malformed`, naming what differs.
 */
export const assertDescribed = async (repo: Repo, { did, head, rev, counts }: BackupManifest): Promise<void> => {
  const said: Readonly<Record<string, unknown>> = { did, head, rev, ...counts };
  for (const [what, value] of await describe(repo)) {
    if (value !== said[what]) {
      throw new RepoError(
        'Malformed',
        `the backup is damaged: its manifest describes another repository; ${what}=${value} manifest=${String(said[what])}`,
      );
    }
  }
};
