/** A repository as the files that a backup consists of, while it is in use. */
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
import { sha256Stream } from '../../data/sha256.ts';
import { toStorageError } from '../../storage/storage-error.ts';
import type { StoreSnapshot } from '../../storage/ports.ts';
import { isBlobIntact } from '../read/blobs.ts';
import { headOf, readCommit } from '../read/head.ts';
import { MAIN } from '../store-names.ts';
import type { RepoParts } from '../open-parts.ts';
import { countCollections } from '../read/records.ts';
import { withPinned } from '../care/pins.ts';
import { verifyRepo } from '../care/verify.ts';

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

/**
 * What an import takes in knowingly is no damage: records outside the data model, and a head that nobody has signed.
 * Nor is a rev from the future.
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
      `the repository is damaged, and a backup of it would be too: repair it first; ${fault.message}${others}`,
    );
  }
};

/** Reads the content and notes what it was. */
const watched = (
  path: string,
  content: BackupContent,
  onPiece: (length: number) => void,
  onEnd: (file: BackedUpFile) => void,
): BackupContent => ({
  size: content.size,
  stream() {
    const hash = sha256Stream();
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
            onPiece(part.value.length);
            controller.enqueue(part.value);
            return;
          }
          if (size !== content.size) {
            throw new RepoError(
              'StorageFailed',
              `a file has another size than it was said to have; path=${path} said=${content.size} is=${size}`,
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

/** The files in the making: what each was is known once it has been read to its end. */
const createManifestFiles = (onPiece: (length: number) => void) => {
  const files = new Map<string, BackedUpFile>();
  return {
    files,
    watch: (path: string, content: BackupContent, check?: (file: BackedUpFile) => void): BackupFile => ({
      path,
      content: watched(path, content, onPiece, (file) => {
        check?.(file);
        files.set(path, file);
      }),
    }),
    assertRead(path: string): void {
      if (!files.has(path)) {
        throw new TypeError(`each file of a backup is read to its end before the next one is asked for; path=${path}`);
      }
    },
  };
};

/** All blobs that are here now. They stay until `release` is called. */
const pinBlobs = async ({ blobs, pins, store }: RepoParts): Promise<{ cids: Iterable<CID>; release: () => void }> => {
  const cids = createCidSet();
  // In a turn among the changes: `gc` removes blobs in its own turn, and not between the look and the pin.
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
    throw new RepoError(
      'BlobNotFound',
      `a blob went away while the backup was made: make it again; cid=${cidToText(cid)}`,
    );
  }
  return blob;
};

/** The head of the snapshot and what it holds; a damaged one is taken at its word. */
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
        const { did, nodes, hashAll, store } = parts;
        const collections = await countCollections({ did, root: data, nodes, hashAll, blocks: store });
        return { head, rev, records: collections.reduce((sum, { count }) => sum + count, 0) };
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
  if (maintenance === undefined) {
    throw new RepoError(
      'StorageFailed',
      'this repository is kept in no files that could be copied: export it as a CAR',
    );
  }
  if (!damaged) {
    await refuseDamage(parts, tally, options);
  }
  tally.phase = 'write';
  const { files, watch, assertRead } = createManifestFiles((length) => {
    signal?.throwIfAborted();
    tally.bytes += length;
    onProgress?.({ ...tally });
  });
  const snapshot = await maintenance.snapshot();
  let unpin = (): void => {};
  try {
    const { cids, release } = await pinBlobs(parts);
    unpin = release;
    const { records, ...head } = await describeHead(parts, snapshot, damaged);
    for (const { path, content } of snapshot.files) {
      yield watch(path, content);
      assertRead(path);
    }
    snapshot.release();
    let blobs = 0;
    for (const cid of cids) {
      const path = blobPath(cid);
      const blob = await requireBlob(parts, cid);
      if (damaged && !(await isBlobIntact(cid, blob))) {
        // Nobody could take it in again: a blob is named by what it is.
        continue;
      }
      yield watch(path, blob, ({ sha256 }) => {
        if (sha256 !== digestText(cid)) {
          throw new RepoError('Corrupt', `the stored blob is not the one that the CID names; cid=${cidToText(cid)}`);
        }
      });
      assertRead(path);
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
