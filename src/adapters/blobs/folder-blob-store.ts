/**
 * Stores blobs as files `blobs/ba/<cid>` in a repository's folder, over the {@link BlobFolder} of a runtime.
 *
 * A blob is written to a temporary file, synced, and renamed to its CID. Then the folder is synced. So a file with the
 * name of a CID is complete.
 */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { blobPath, BLOBS_FOLDER, BLOBS_ROOT } from '../../core/storage/layout.ts';
import { readBlobSource } from '../../core/storage/blob-source.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import { CODEC_RAW, cidOfDigest, cidTextToBytes, cidToText, decodeCid } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import type { CreateHash } from '../../core/data/sha256.ts';
import type {
  BlobInfo,
  BlobSource,
  BlobStore,
  InvalidBlobEntry,
  PutBlobOptions,
  ScratchFile,
} from '../../core/storage/ports.ts';
import { isNotFound, systemCodeOf, toStorageError } from '../../core/storage/storage-error.ts';
import { sha256Stream } from '../../wasm/hash/sha256-stream.ts';
import type { BlobFolder, BlobWriter } from './blob-folder.ts';

/** The temporary file of an interrupted `put` or import. */
const TEMPORARY = /^[0-9a-f]{32}\.tmp-[0-9a-z]+$/;

/** Returns the name of a blob's file: the canonical text of its CID. Returns `undefined` for a CID of another codec. */
const nameOf = (cid: CID): string | undefined => {
  const name = cidToText(cid);
  return isBlobName(name) ? name : undefined;
};

const isBlobName = (name: string): boolean => cidTextToBytes(name)?.[1] === CODEC_RAW;

const io = async <T>(doing: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw toStorageError(error, doing);
  }
};

export interface OpenBlobsOptions {
  /** Opening then writes nothing. The caller must not write later. */
  readonly readOnly?: boolean | undefined;
  /** Hashes blobs. Default: in WebAssembly. */
  readonly createHash?: CreateHash | undefined;
}

/**
 * Opens the blobs of a repository's folder, and removes temporary files of interrupted writes. The caller must hold the
 * folder's lock. With `readOnly` it need not, and nothing is removed.
 */
export const openFolderBlobs = async (
  folder: BlobFolder,
  { readOnly = false, createHash = sha256Stream }: OpenBlobsOptions = {},
): Promise<BlobStore> => {
  let isNamed = false;
  try {
    const root = await folder.entry(BLOBS_ROOT);
    assertFolder(root, BLOBS_ROOT);
    if (root === undefined && !readOnly) {
      await ensureFolder(folder, BLOBS_ROOT, '.');
      isNamed = true;
    }
    assertFolder(await folder.entry(BLOBS_FOLDER), BLOBS_FOLDER);
    for await (const name of readOnly ? [] : folder.names(BLOBS_ROOT)) {
      if (TEMPORARY.test(name)) {
        await folder.remove(`${BLOBS_ROOT}/${name}`);
      }
    }
  } catch (error) {
    if (isNotFound(error)) {
      throw new RepoError(
        'RepoNotFound',
        'cannot open the blobs: the folder of the repository is missing. Check the path',
        {
          cause: error,
        },
      );
    }
    throw toStorageError(error, 'opening the blobs');
  }
  return new FolderBlobStore(folder, createHash, isNamed);
};

/** Checks that an existing entry is a folder. A symbolic link would lead out of the locked folder. */
const assertFolder = (entry: { readonly kind: string } | undefined, path: string): void => {
  if (entry !== undefined && entry.kind !== 'folder') {
    throw new RepoError(
      'StorageFailed',
      `cannot open the blobs: the path is not a folder. Replace it with a folder; path=${path}`,
    );
  }
};

/** Creates a folder durably, if it is missing. */
const ensureFolder = async (folder: BlobFolder, path: string, above: string): Promise<void> => {
  try {
    await folder.makeFolder(path);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') {
      throw error;
    }
    assertFolder(await folder.entry(path), path);
  }
  // Also if it exists, because a crash may have come before it was durable.
  await folder.syncFolder(above);
};

class FolderBlobStore implements BlobStore {
  readonly #folder: BlobFolder;
  readonly #createHash: CreateHash;
  readonly #lifetime = new Lifetime('blob store');
  /**
   * Whether the name of the folder `blobs` was made durable at the opening. Its creator may have been killed before it
   * did so.
   */
  readonly #isNamed: boolean;
  #hasFolder = false;

  constructor(folder: BlobFolder, createHash: CreateHash, isNamed: boolean) {
    this.#folder = folder;
    this.#createHash = createHash;
    this.#isNamed = isNamed;
  }

  put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobInfo> {
    return this.#lifetime.run(async () => {
      const temporary = `${BLOBS_ROOT}/${randomName()}.tmp-put`;
      const writer = await io('storing a blob', this.#folder.create(temporary));
      try {
        return await this.#fill(writer, temporary, source, options);
      } catch (error) {
        await this.#discard(writer, temporary);
        throw error;
      }
    });
  }

  async #fill(writer: BlobWriter, temporary: string, source: BlobSource, options: PutBlobOptions): Promise<BlobInfo> {
    const hash = this.#createHash();
    let size = 0;
    for await (const chunk of readBlobSource(source, options)) {
      hash.update(chunk);
      size += chunk.length;
      await io('storing a blob', writer.write(chunk));
    }
    const cid = cidOfDigest(CODEC_RAW, hash.digest());
    await io('storing a blob', this.#keep(writer, temporary, blobPath(cid), cid, size));
    return { cid, size, storedAt: Date.now() };
  }

  /** Renames a complete temporary file to its CID, unless the same bytes are already stored. */
  async #keep(writer: BlobWriter, temporary: string, path: string, cid: CID, size: number): Promise<void> {
    if (!this.#hasFolder) {
      if (!this.#isNamed) {
        await this.#folder.syncFolder('.');
      }
      await ensureFolder(this.#folder, BLOBS_FOLDER, BLOBS_ROOT);
      this.#hasFolder = true;
    }
    // If the time of a file cannot be set, the file is replaced with the new one.
    if (this.#folder.touch !== undefined && (await this.#isStored(path, cid, size))) {
      await this.#folder.touch(path);
      await writer.close();
      await this.#folder.remove(temporary);
    } else {
      await writer.sync();
      await writer.close();
      await this.#folder.rename(temporary, path);
    }
    // Also for an existing blob, because a crash may have come before its name was durable.
    await this.#folder.syncFolder(BLOBS_FOLDER);
  }

  /** Whether the file has the bytes of this CID. Compares the size first, because hashing reads the whole file. */
  async #isStored(path: string, cid: CID, size: number): Promise<boolean> {
    const entry = await this.#folder.entry(path);
    if (entry?.kind !== 'file' || entry.size !== size) {
      return false;
    }
    const hash = this.#createHash();
    for await (const chunk of this.#folder.read(path)) {
      hash.update(chunk);
    }
    return equalBytes(hash.digest(), cid.multihash.digest);
  }

  async #discard(writer: BlobWriter, temporary: string): Promise<void> {
    try {
      await writer.close();
    } catch {
      // The first error is thrown.
    }
    try {
      await this.#folder.remove(temporary);
    } catch {
      // The next opening removes the temporary file.
    }
  }

  get(cid: CID): Promise<Blob | undefined> {
    return this.#lifetime.run(async () => {
      const name = nameOf(cid);
      if (name === undefined) {
        return undefined;
      }
      const path = `${BLOBS_FOLDER}/${name}`;
      const [above, entry] = await io(
        'reading a blob',
        Promise.all([this.#folder.entry(BLOBS_FOLDER), this.#folder.entry(path)]),
      );
      assertFolder(above, BLOBS_FOLDER);
      if (entry === undefined) {
        return undefined;
      }
      if (entry.kind !== 'file') {
        throw new RepoError(
          'StorageFailed',
          `cannot read the blob: it is not a regular file. Remove it and store the blob again; path=${path}`,
        );
      }
      return io('reading a blob', this.#folder.blob(path));
    });
  }

  delete(cids: readonly CID[]): Promise<void> {
    return this.#lifetime.run(async () => {
      let removed = 0;
      for (const cid of cids) {
        const name = nameOf(cid);
        if (name === undefined) {
          continue;
        }
        try {
          await this.#folder.remove(`${BLOBS_FOLDER}/${name}`);
          removed++;
        } catch (error) {
          if (!isNotFound(error)) {
            throw toStorageError(error, 'deleting a blob');
          }
        }
      }
      if (removed > 0) {
        await io('deleting a blob', this.#folder.syncFolder(BLOBS_FOLDER));
      }
    });
  }

  async *list(options: { readonly after?: CID | undefined } = {}): AsyncGenerator<BlobInfo, void, undefined> {
    const after = options.after === undefined ? '' : cidToText(options.after);
    // A folder has no order, so all names are in memory (59 characters each). Sizes are read one by one.
    const names = await this.#lifetime.run(() => io('listing the blobs', this.#namesAfter(after)));
    for (const name of names) {
      const entry = await this.#lifetime.run(() =>
        io('listing the blobs', this.#folder.entry(`${BLOBS_FOLDER}/${name}`)),
      );
      if (entry?.kind === 'file') {
        yield { cid: decodeCid(cidTextToBytes(name)!), size: entry.size, storedAt: entry.changedAt };
      }
    }
  }

  async *invalidEntries(): AsyncGenerator<InvalidBlobEntry, void, undefined> {
    for (const name of await this.#lifetime.run(() => io('listing the blobs', this.#namesAfter('')))) {
      const path = `${BLOBS_FOLDER}/${name}`;
      const entry = await this.#lifetime.run(() => io('listing the blobs', this.#folder.entry(path)));
      if (entry !== undefined && entry.kind !== 'file') {
        yield { cid: decodeCid(cidTextToBytes(name)!), message: `not a regular file; path=${path}` };
      }
    }
  }

  scratch(): Promise<ScratchFile> {
    const doing = 'keeping the rest of an import';
    return this.#lifetime.run(async () => {
      const path = `${BLOBS_ROOT}/${randomName()}.tmp-scratch`;
      const writer = await io(doing, this.#folder.create(path));
      const folder = this.#folder;
      return {
        append: (bytes) => this.#lifetime.run(() => io(doing, writer.write(bytes))),
        async *read() {
          try {
            await writer.close();
            yield* folder.read(path);
          } catch (error) {
            throw toStorageError(error, doing);
          }
        },
        remove: () => this.#discard(writer, path),
      };
    });
  }

  async #namesAfter(after: string): Promise<string[]> {
    const names: string[] = [];
    assertFolder(await this.#folder.entry(BLOBS_FOLDER), BLOBS_FOLDER);
    try {
      for await (const name of this.#folder.names(BLOBS_FOLDER)) {
        if (name > after && isBlobName(name)) {
          names.push(name);
        }
      }
    } catch (error) {
      // No blob has been stored yet.
      if (!isNotFound(error)) {
        throw error;
      }
    }
    // ASCII, so the order of JavaScript's strings is the order of their bytes.
    return names.sort();
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const randomName = (): string => bytesToHex(randomBytes(16));
