/**
 * Blobs as files: `blobs/ba/<cid>` below a repository's folder, over whatever {@link BlobFolder} a runtime has.
 *
 * A blob is written beside its place, synced, and renamed to its CID's name, which is then synced too: the name
 * appears last, and what bears it is whole.
 */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { blobPath, BLOBS_FOLDER, BLOBS_ROOT } from '../../core/storage/layout.ts';
import { readBlobSource } from '../../core/storage/blob-source.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import { CODEC_RAW, cidOfDigest, cidTextToBytes, cidToText, decodeCid } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import { sha256Stream } from '../../core/data/sha256.ts';
import type { BlobInfo, BlobSource, BlobStore, InvalidBlobEntry, PutBlobOptions } from '../../core/storage/ports.ts';
import { isNotFound, systemCodeOf, toStorageError } from '../../core/storage/storage-error.ts';
import type { BlobFolder, BlobWriter } from './blob-folder.ts';

/** What a `put` that was cut off leaves behind. */
const TEMPORARY = /^[0-9a-f]{32}\.tmp-[0-9a-z]+$/;

/** The name of a blob's file: a canonical text, never what somebody sent. `undefined` for a CID that no blob has. */
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
  /** Writes nothing at opening. The caller has to keep from writing later. */
  readonly readOnly?: boolean | undefined;
}

/**
 * Opens the blobs of a repository's folder, and removes the temporary files of writes that were cut off. The caller
 * owns the folder, so nobody else is writing. With `readOnly` somebody else may be, and nothing is removed.
 */
export const openFolderBlobs = async (
  folder: BlobFolder,
  { readOnly = false }: OpenBlobsOptions = {},
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
      throw new RepoError('RepoNotFound', 'there is no folder for the blobs to lie in', { cause: error });
    }
    throw toStorageError(error, 'opening the blobs');
  }
  return new FolderBlobStore(folder, isNamed);
};

/** What is there has to be a folder, and not a symbolic link to one: that leads out of the folder that we own. */
const assertFolder = (entry: { readonly kind: string } | undefined, path: string): void => {
  if (entry !== undefined && entry.kind !== 'folder') {
    throw new RepoError('StorageFailed', `not a folder; path=${path}`);
  }
};

/** Makes a folder durably, unless it is there. */
const ensureFolder = async (folder: BlobFolder, path: string, above: string): Promise<void> => {
  try {
    await folder.makeFolder(path);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') {
      throw error;
    }
    assertFolder(await folder.entry(path), path);
  }
  // Also when it was there: a crash may have come between its creation and its becoming durable.
  await folder.syncFolder(above);
};

class FolderBlobStore implements BlobStore {
  readonly #folder: BlobFolder;
  readonly #lifetime = new Lifetime('blob store');
  /**
   * Whether the name of the folder of all blobs was durable at the opening: who made it may have been killed before
   * that.
   */
  readonly #isNamed: boolean;
  #hasFolder = false;

  constructor(folder: BlobFolder, isNamed: boolean) {
    this.#folder = folder;
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
    const hash = sha256Stream();
    let size = 0;
    for await (const piece of readBlobSource(source, options)) {
      hash.update(piece);
      size += piece.length;
      await io('storing a blob', writer.write(piece));
    }
    const cid = cidOfDigest(CODEC_RAW, hash.digest());
    await io('storing a blob', this.#keep(writer, temporary, blobPath(cid), cid, size));
    return { cid, size, storedAt: Date.now() };
  }

  /** Puts a filled file in its place, unless the same bytes are there already. */
  async #keep(writer: BlobWriter, temporary: string, path: string, cid: CID, size: number): Promise<void> {
    if (!this.#hasFolder) {
      if (!this.#isNamed) {
        await this.#folder.syncFolder('.');
      }
      await ensureFolder(this.#folder, BLOBS_FOLDER, BLOBS_ROOT);
      this.#hasFolder = true;
    }
    // Where its time cannot be set a file is replaced by the new one, which has the same bytes.
    if (this.#folder.touch !== undefined && (await this.#isStored(path, cid, size))) {
      await this.#folder.touch(path);
      await writer.close();
      await this.#folder.remove(temporary);
    } else {
      await writer.sync();
      await writer.close();
      await this.#folder.rename(temporary, path);
    }
    // Also for a blob that was there: a crash may have come between its rename and its becoming durable.
    await this.#folder.syncFolder(BLOBS_FOLDER);
  }

  /** Whether a path holds these bytes: their number is compared first, because hashing costs a read of all of them. */
  async #isStored(path: string, cid: CID, size: number): Promise<boolean> {
    const entry = await this.#folder.entry(path);
    if (entry?.kind !== 'file' || entry.size !== size) {
      return false;
    }
    const hash = sha256Stream();
    for await (const piece of this.#folder.read(path)) {
      hash.update(piece);
    }
    return equalBytes(hash.digest(), cid.multihash.digest);
  }

  async #discard(writer: BlobWriter, temporary: string): Promise<void> {
    try {
      await writer.close();
    } catch {
      // Closed already, or the failure that led here once more; that one is reported.
    }
    try {
      await this.#folder.remove(temporary);
    } catch {
      // It bears no blob's name, so nobody sees it, and the next open removes it.
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
        throw new RepoError('StorageFailed', `not a regular file; path=${path}`);
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
    // A folder has no order of its own, so its names are held, 59 characters each; sizes are looked up one by one.
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
