/**
 * Stores a blob whose length and CID are known only at its end. A blob of one part is sent to the key of its CID. A
 * larger one is sent to a temporary key part by part, and copied within the server.
 */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '../../core/data/bytes.ts';
import { CODEC_RAW, cidOfDigest } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { sha256Stream } from '../../wasm/hash/sha256-stream.ts';
import { RepoError } from '../../core/errors.ts';
import type { S3Client } from './client.ts';
import type { MultipartUpload } from './multipart.ts';
import { MAX_UPLOAD_PARTS, beginUpload } from './multipart.ts';
import { copyObject, deleteObject, putObject } from './objects.ts';
import { PartBuffer } from './part-buffer.ts';

/** Bytes of a blob. S3 copies no larger object with one request. */
export const MAX_COPIED_SIZE: number = 5 * 1024 ** 3;

const DOING = 'storing a blob';

/** The cleanup after a failure must not take long, and `sweep` removes the rest. */
const CLEANUP_RETRIES = 1;

const hashOf = async (bytes: Bytes): Promise<string> =>
  bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));

export interface UploadedBlob {
  readonly cid: CID;
  readonly size: number;
}

export class BlobUpload {
  readonly #client: S3Client;
  readonly #temporaryKey: string;
  readonly #hash = sha256Stream();
  /** Ends the requests of the upload, after an abort of the caller or another failure. */
  readonly #controller = new AbortController();
  #buffer: PartBuffer;
  /** The memory of the part before, which is free once that part is sent. */
  #other: PartBuffer | undefined;
  #size = 0;
  #upload: MultipartUpload | undefined;
  /** The part that is being sent. */
  #sending: Promise<void> = Promise.resolve();

  /** @param temporaryPrefix The first part of the keys of unfinished blobs. */
  constructor(client: S3Client, temporaryPrefix: string, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#temporaryKey = `${temporaryPrefix}${bytesToHex(randomBytes(16))}`;
    this.#buffer = new PartBuffer(client.place.partSize);
    const abort = (): void => this.#controller.abort(signal?.reason);
    if (signal?.aborted === true) {
      abort();
    } else {
      // It lasts as long as the upload: the controller ends with it.
      signal?.addEventListener('abort', abort, { once: true, signal: this.#controller.signal });
    }
  }

  /** Appends bytes. Sends full parts. */
  async write(chunk: Uint8Array): Promise<void> {
    const most = Math.min(MAX_COPIED_SIZE, this.#client.place.partSize * MAX_UPLOAD_PARTS);
    if (this.#size + chunk.length > most) {
      throw new RepoError('LimitExceeded', `the blob is too large for this store; limit=${most}`);
    }
    this.#size += chunk.length;
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#buffer.isFull) {
        await this.#sendPart();
      }
      const count = this.#buffer.fill(rest);
      this.#hash.update(rest.subarray(0, count));
      rest = rest.subarray(count);
    }
  }

  /** Waits for the part before, and begins to send this one. So two parts are in memory, and parts keep their order. */
  async #sendPart(): Promise<void> {
    const { signal } = this.#controller;
    this.#upload ??= await beginUpload(this.#client, this.#temporaryKey, DOING, signal);
    await this.#sending;
    const [upload, sent] = [this.#upload, this.#buffer];
    const bytes = sent.bytes();
    this.#sending = hashOf(bytes).then((sha256) => upload.add(bytes, sha256, signal));
    // The next call, `finish` or `discard` waits for it.
    this.#sending.catch(() => undefined);
    this.#buffer = this.#other ?? new PartBuffer(this.#client.place.partSize);
    this.#other = sent;
    this.#buffer.clear();
  }

  /** Makes the blob visible at the key of its CID. Durable once this resolves. */
  async finish(keyOf: (cid: CID) => string): Promise<UploadedBlob> {
    const { signal } = this.#controller;
    const digest = this.#hash.digest();
    const cid = cidOfDigest(CODEC_RAW, digest);
    const key = keyOf(cid);
    if (this.#upload === undefined) {
      await putObject(this.#client, { key, body: this.#buffer.bytes(), sha256: bytesToHex(digest) }, DOING, signal);
    } else {
      if (!this.#buffer.isEmpty) {
        await this.#sendPart();
      }
      await this.#sending;
      await this.#upload.complete(this.#size, hashOf, signal);
      await copyObject(this.#client, { from: this.#temporaryKey, to: key }, DOING, signal);
      try {
        await deleteObject(this.#client, this.#temporaryKey, DOING, CLEANUP_RETRIES);
      } catch {
        // The blob is stored. `sweep` removes the temporary object.
      }
    }
    this.#controller.abort();
    return { cid, size: this.#size };
  }

  /** Ends the requests, and removes what was sent. Does not reject. */
  async discard(): Promise<void> {
    this.#controller.abort();
    // A part that arrives after the abort would remain.
    await this.#sending.catch(() => undefined);
    const upload = this.#upload;
    if (upload !== undefined) {
      try {
        await upload.abort(CLEANUP_RETRIES);
        await deleteObject(this.#client, upload.key, DOING, CLEANUP_RETRIES);
      } catch {
        // The first error is thrown. `sweep` removes the rest.
      }
    }
  }
}
