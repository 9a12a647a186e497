/** Files that come in, against the manifest of the backup that they are of, if there is one. */
import type { BackedUpFile, BackupContent, BackupFile, BackupManifest } from '../core/backup.ts';
import { decodeManifest, isBackupPath, MAX_MANIFEST_SIZE } from '../core/backup.ts';
import { concatBytes } from '../core/bytes.ts';
import { RepoError } from '../core/errors.ts';
import { sha256Stream } from '../core/sha256.ts';

const WAL_PATH = 'pds.db-wal';

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

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const readAll = async ({ size, stream }: BackupContent): Promise<Uint8Array> => {
  if (size > MAX_MANIFEST_SIZE) {
    throw new RepoError('LimitExceeded', `a manifest has at most ${MAX_MANIFEST_SIZE} bytes; size=${size}`);
  }
  const pieces: Uint8Array[] = [];
  const reader = stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    pieces.push(part.value);
  }
  return concatBytes(pieces);
};

export const createManifestCheck = (): ManifestCheck => {
  const came = new Map<string, BackedUpFile>();
  let manifest: BackupManifest | undefined;
  let hasLog = false;
  return {
    watch({ path, content }) {
      hasLog ||= path === WAL_PATH && content.size > 0;
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
          came.set(path, { size, sha256: toHex(hash.digest()) });
        },
      });
      return { size: content.size, stream: () => content.stream().pipeThrough(counted) };
    },
    async take(content) {
      manifest = decodeManifest(await readAll(content));
    },
    assertWhole() {
      if (manifest !== undefined && hasLog) {
        // SQLite would fold it into the database that the manifest vouches for.
        throw new RepoError('Malformed', `the backup is damaged: there is a log that the manifest does not name; path=${WAL_PATH}`);
      }
      for (const [path, { size, sha256 }] of manifest?.files ?? []) {
        const found = came.get(path);
        if (found === undefined || found.size !== size || found.sha256 !== sha256) {
          throw new RepoError('Malformed', `the backup is damaged: a file is ${found === undefined ? 'missing' : 'not the one that the manifest names'}; path=${path}`);
        }
      }
    },
  };
};
