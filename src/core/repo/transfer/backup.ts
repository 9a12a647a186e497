/** `Repo.backup`: the files of a consistent backup of a repository that is in use. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { blobPath } from '../../storage/layout.ts';
import type { BackedUpFile, BackupOptions } from './backup-manifest.ts';
import type { BackupContent, BackupFile } from '../../storage/backup-file.ts';
import { encodeManifest, MANIFEST_PATH } from './backup-manifest.ts';
import { BoundedList } from '../../data/bounded-list.ts';
import { copyBytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText, decodeCid } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import type { Progress } from '../long-work.ts';
import type { Fault } from '../../data/fault.ts';
import type { CreateHash } from '../../data/sha256.ts';
import { toStorageError } from '../../storage/storage-error.ts';
import type { StoreSnapshot } from '../../storage/ports.ts';
import { isBlobIntact } from '../read/blobs.ts';
import { headOf, readCommit } from '../read/head.ts';
import { MAIN } from '../store-names.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { RepoParts } from '../open-parts.ts';
import { withPinned } from '../care/pins.ts';
import { verifyRepo } from '../care/verify.ts';

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

/**
 * Faults that an import accepts are not damage: records that break the data model, an unsigned head, and a rev in the
 * future.
 */
const isDamage = ({ code, path }: Fault): boolean =>
  !(code === 'Malformed' && path !== undefined) && code !== 'InvalidSignature' && code !== 'FutureRev';

const refuseDamage = async (parts: RepoParts, tally: Tally, { signal, onProgress }: BackupOptions): Promise<void> => {
  const damage = new BoundedList<Fault>();
  await verifyRepo(
    parts,
    {
      signal,
      onProgress(progress) {
        Object.assign(tally, progress);
        onProgress?.(progress);
      },
    },
    (fault) => isDamage(fault) && damage.add(fault),
  );
  const [fault] = damage.items;
  if (fault !== undefined) {
    const others = damage.count === 1 ? '' : ` (and ${damage.count - 1} more)`;
    throw new RepoError(
      'Corrupt',
      `the repository is damaged: repair it before the backup, or pass \`damaged\`; ${fault.message}${others}`,
    );
  }
};

/** Wraps content: counts its bytes, hashes it and checks its size. */
const watched = (
  path: string,
  content: BackupContent,
  createHash: CreateHash,
  onChunk: (length: number) => void,
  onEnd: (file: BackedUpFile) => void,
): BackupContent => ({
  size: content.size,
  stream() {
    const hash = createHash();
    let size = 0;
    const reader = content.stream().getReader();
    const read = async (): Promise<ReadableStreamReadResult<Uint8Array>> => {
      try {
        return await reader.read();
      } catch (error) {
        throw toStorageError(error, `reading ${path}`);
      }
    };
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const part = await read();
          if (!part.done) {
            hash.update(part.value);
            size += part.value.length;
            onChunk(part.value.length);
            controller.enqueue(part.value);
            return;
          }
          if (size !== content.size) {
            throw new RepoError(
              'StorageFailed',
              `a file changed its size during the backup: back up again; path=${path} expected=${content.size} found=${size}`,
            );
          }
          onEnd({ size, sha256: bytesToHex(hash.digest()) });
          controller.close();
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  },
});

const digestText = (cid: CID): string => bytesToHex(cid.multihash.digest);

/** Collects size and hash of each file. They are known after the file has been read to its end. */
const createManifestFiles = (createHash: CreateHash, onChunk: (length: number) => void) => {
  const files = new Map<string, BackedUpFile>();
  return {
    files,
    watch: (path: string, content: BackupContent, check?: (file: BackedUpFile) => void): BackupFile => ({
      path,
      content: watched(path, content, createHash, onChunk, (file) => {
        check?.(file);
        files.set(path, file);
      }),
    }),
    assertRead(path: string): void {
      if (!files.has(path)) {
        throw new TypeError(
          `a file of the backup was not read to its end: read each file before the next one; path=${path}`,
        );
      }
    },
  };
};

/** Pins all stored blobs until `release` is called. */
const pinBlobs = async ({ blobs, pins, store }: RepoParts): Promise<{ cids: Iterable<CID>; release: () => void }> => {
  const cids = createCidSet();
  // Inside a change, so that `gc` cannot remove a blob between the list and the pin.
  const release = await store.transact(async () => {
    for await (const { cid } of blobs.list()) {
      cids.add(cid.bytes);
    }
    return pins.holdBlobs(cids);
  });
  const all = (function* () {
    for (const bytes of cids) {
      yield decodeCid(copyBytes(bytes));
    }
  })();
  return { cids: all, release };
};

const requireBlob = async ({ blobs }: RepoParts, cid: CID): Promise<Blob> => {
  const blob = await blobs.get(cid);
  if (blob === undefined) {
    throw new RepoError('BlobNotFound', `a blob was removed during the backup: back up again; cid=${cidToText(cid)}`);
  }
  return blob;
};

/** Returns the snapshot's head and its record count. With `damaged`, an unreadable head has no count. */
const describeHead = async (
  parts: RepoParts,
  { refs }: StoreSnapshot,
  damaged: boolean,
): Promise<{ head: string | null; rev: string | null; records: number }> => {
  const cid = refs.get(MAIN);
  if (cid === undefined) {
    return { head: null, rev: null, records: 0 };
  }
  const head = cidToText(cid);
  try {
    return await withPinned(
      parts.pins,
      async () => [headOf(cid, await readCommit(parts.store, cid))] as const,
      async ([{ rev, data }]) => {
        let records = 0;
        for await (const leaves of walkLeaves(parts.nodes, data, {})) {
          records += leaves.length;
        }
        return { head, rev, records };
      },
    );
  } catch (error) {
    if (!damaged || !isRepoError(error)) {
      throw error;
    }
    return { head, rev: null, records: 0 };
  }
};

/** `Repo.backup`. */
export async function* backupRepo(
  parts: RepoParts,
  options: BackupOptions = {},
): AsyncGenerator<BackupFile, void, undefined> {
  const { damaged = false, onProgress, signal } = options;
  const tally: Tally = { phase: 'verify', bytes: 0, blocks: 0, records: 0 };
  const { maintenance } = parts.store;
  if (maintenance?.snapshot === undefined) {
    throw new RepoError('StorageFailed', `the storage has no files to back up: export a CAR instead; did=${parts.did}`);
  }
  if (!damaged) {
    await refuseDamage(parts, tally, options);
  }
  tally.phase = 'write';
  const { files, watch, assertRead } = createManifestFiles(parts.createHash, (length) => {
    signal?.throwIfAborted();
    tally.bytes += length;
    onProgress?.({ ...tally });
  });
  // A small file can come as one chunk, so chunks alone do not notice every abort.
  const assertNext = (path: string): void => {
    assertRead(path);
    signal?.throwIfAborted();
  };
  const snapshot = await maintenance.snapshot();
  let unpin = (): void => {};
  try {
    const { cids, release } = await pinBlobs(parts);
    unpin = release;
    const { records, ...head } = await describeHead(parts, snapshot, damaged);
    for (const { path, content } of snapshot.files) {
      yield watch(path, content);
      assertNext(path);
    }
    snapshot.release();
    let blobs = 0;
    for (const cid of cids) {
      const path = blobPath(cid);
      const blob = await requireBlob(parts, cid);
      if (damaged && !(await isBlobIntact(parts, cid, blob))) {
        // A restore would reject it, because its bytes do not match its name.
        continue;
      }
      yield watch(path, blob, ({ sha256 }) => {
        if (sha256 !== digestText(cid)) {
          throw new RepoError(
            'Corrupt',
            `the stored blob does not match its CID: repair it before the backup; cid=${cidToText(cid)}`,
          );
        }
      });
      assertNext(path);
      blobs += 1;
    }
    const { blocks, commits } = snapshot;
    const counts = { blobs, blocks, commits, records };
    const manifest = encodeManifest({ did: parts.did, ...head, counts, files, created: new Date().toISOString() });
    yield { path: MANIFEST_PATH, content: new Blob([manifest as Uint8Array<ArrayBuffer>]) };
  } finally {
    snapshot.release();
    unpin();
  }
}
