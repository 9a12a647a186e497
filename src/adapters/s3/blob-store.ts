/** Stores the blobs of a repository as objects of a bucket. The key of a blob is a prefix and its CID. */
import type { CID } from '../../core/data/cid.ts';
import { cidToText } from '../../core/data/cid.ts';
import { readBlobSource } from '../../core/storage/blob-source.ts';
import { LazyBlob } from '../../core/storage/lazy-blob.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import type { BlobInfo, BlobSource, BlobStore, PutBlobOptions } from '../../core/storage/ports.ts';
import { readRange } from './blob-ranges.ts';
import { BlobUpload } from './blob-upload.ts';
import type { S3Client } from './client.ts';
import { invalidFailure, isS3Failure } from './failure.ts';
import { listObjects } from './listing.ts';
import { deleteObject } from './objects.ts';
import { BLOB_NAME_START, cidOfName, nameOfCid } from './options.ts';
import type { SweepOptions, SweepResult } from './sweep.ts';
import { sweepUploads } from './sweep.ts';

/** Requests at a time while blobs are deleted. */
const DELETE_REQUESTS = 8;

const READING = 'reading a blob';

/**
 * The blobs of one repository on an S3 server. Several stores, of several processes, may use one bucket. If `put`
 * rejects because the last response was lost, the blob may be stored, complete.
 */
export interface S3BlobStore extends BlobStore {
  /**
   * Removes the uploads below the store's prefix that a crash or a lost connection has interrupted: multipart uploads
   * and temporary objects. Stored blobs are not read and not changed. Stores of one `s3Blobs` share these uploads.
   * @throws {RepoError} `StorageFailed`.
   */
  sweep(options?: SweepOptions): Promise<SweepResult>;
}

export interface BlobKeys {
  /** The first part of the keys of blobs. */
  readonly prefix: string;
  /** The first part of the keys of uploads that are not complete. */
  readonly temporaryPrefix: string;
  /** Most blobs of one page of a list. Default: that of the server, 1,000. */
  readonly pageSize?: number | undefined;
}

/** Returns a store. Sends no request. */
export const createS3BlobStore = (client: S3Client, keys: BlobKeys): S3BlobStore => new BucketBlobStore(client, keys);

class BucketBlobStore implements S3BlobStore {
  readonly #client: S3Client;
  readonly #keys: BlobKeys;
  readonly #lifetime = new Lifetime('blob store');

  constructor(client: S3Client, keys: BlobKeys) {
    this.#client = client;
    this.#keys = keys;
  }

  put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobInfo> {
    return this.#lifetime.run(async () => {
      const upload = new BlobUpload(this.#client, this.#keys.temporaryPrefix, options.signal);
      try {
        for await (const chunk of readBlobSource(source, options)) {
          await upload.write(chunk);
        }
        const { cid, size } = await upload.finish((blob) => `${this.#keys.prefix}${cidToText(blob)}`);
        return { cid, size, storedAt: Date.now() };
      } catch (error) {
        await upload.discard();
        throw error;
      }
    });
  }

  get(cid: CID): Promise<Blob | undefined> {
    return this.#lifetime.run(async () => {
      const name = nameOfCid(cid);
      if (name === undefined) {
        return undefined;
      }
      const key = `${this.#keys.prefix}${name}`;
      const size = await this.#sizeOf(key);
      return size === undefined
        ? undefined
        : new LazyBlob((start, end) => readRange(this.#client, { key, size }, start, end), 0, size, '');
    });
  }

  async #sizeOf(key: string): Promise<number | undefined> {
    let headers: Headers;
    try {
      ({ headers } = await this.#client.send({ method: 'HEAD', key, doing: READING }));
    } catch (error) {
      if (isS3Failure(error) && error.status === 404) {
        return undefined;
      }
      if (isS3Failure(error) && error.status !== undefined && !error.isTransient) {
        // A response to HEAD has no body, and so no code. This one says why.
        await this.#client.send({ method: 'GET', key, headers: { range: 'bytes=0-0' }, doing: READING });
      }
      throw error;
    }
    const size = Number(headers.get('content-length') ?? Number.NaN);
    if (!Number.isSafeInteger(size) || size < 0) {
      throw invalidFailure(READING, 'the response has no header content-length');
    }
    return size;
  }

  delete(cids: readonly CID[]): Promise<void> {
    return this.#lifetime.run(async () => {
      const names = [...new Set(cids.map(nameOfCid))].filter((name) => name !== undefined);
      const removeNext = async (): Promise<void> => {
        for (let name = names.pop(); name !== undefined; name = names.pop()) {
          await deleteObject(this.#client, `${this.#keys.prefix}${name}`, 'deleting a blob');
        }
      };
      const ends = await Promise.allSettled(Array.from({ length: DELETE_REQUESTS }, removeNext));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) {
        throw failed.reason;
      }
    });
  }

  async *list(options: { readonly after?: CID | undefined } = {}): AsyncGenerator<BlobInfo, void, undefined> {
    const { prefix, pageSize } = this.#keys;
    let after = options.after === undefined ? undefined : `${prefix}${cidToText(options.after)}`;
    for (;;) {
      const { objects, hasMore } = await this.#lifetime.run(() =>
        // Temporary objects and other names are not listed.
        listObjects(this.#client, {
          prefix: `${prefix}${BLOB_NAME_START}`,
          after,
          limit: pageSize,
          doing: 'listing the blobs',
        }),
      );
      for (const { key, size, changedAt } of objects) {
        const cid = cidOfName(key.slice(prefix.length));
        if (cid !== undefined) {
          this.#lifetime.assertOpen();
          yield { cid, size, storedAt: changedAt };
        }
      }
      if (!hasMore) {
        return;
      }
      after = objects.at(-1)!.key;
    }
  }

  sweep(options?: SweepOptions): Promise<SweepResult> {
    return this.#lifetime.run(() => sweepUploads(this.#client, this.#keys.temporaryPrefix, options));
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
