/** A multipart upload: its object appears when it is complete, and not before. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { S3Client } from './client.ts';
import { invalidFailure, isS3Failure } from './failure.ts';
import { CONTENT_TYPE } from './objects.ts';
import { childText } from './xml.ts';

/** Parts of one upload, by the rules of S3. */
export const MAX_UPLOAD_PARTS = 10_000;

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

export class MultipartUpload {
  readonly #client: S3Client;
  readonly #doing: string;
  readonly #tags: string[] = [];
  readonly key: string;
  readonly #id: string;

  constructor(client: S3Client, key: string, id: string, doing: string) {
    this.#client = client;
    this.key = key;
    this.#id = id;
    this.#doing = doing;
  }

  /** Sends the next part. One call at a time. */
  async add(body: Bytes, sha256: string, signal: AbortSignal): Promise<void> {
    const { headers } = await this.#client.send({
      method: 'PUT',
      key: this.key,
      query: { partNumber: String(this.#tags.length + 1), uploadId: this.#id },
      body,
      sha256,
      signal,
      doing: this.#doing,
    });
    const tag = headers.get('etag');
    if (tag === null) {
      throw invalidFailure(
        this.#doing,
        'the response has no header etag. In a browser, expose it in the CORS rules of the bucket',
      );
    }
    this.#tags.push(tag);
  }

  /** Makes the object of the parts. */
  async complete(size: number, hashOf: (bytes: Bytes) => Promise<string>, signal: AbortSignal): Promise<void> {
    const parts = this.#tags.map(
      (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
    );
    const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    try {
      await this.#client.send({
        method: 'POST',
        key: this.key,
        query: { uploadId: this.#id },
        headers: { 'content-type': 'application/xml' },
        body,
        sha256: await hashOf(body),
        signal,
        doing: this.#doing,
      });
    } catch (error) {
      // After a lost response, the upload no longer exists when the request is repeated.
      if (!isS3Failure(error) || error.s3Code !== 'NoSuchUpload' || (await this.#completeSize(signal)) !== size) {
        throw error;
      }
    }
  }

  async #completeSize(signal: AbortSignal): Promise<number> {
    const { headers } = await this.#client.send({ method: 'HEAD', key: this.key, signal, doing: this.#doing });
    return Number(headers.get('content-length'));
  }

  /** Removes the parts. Ignores an upload that is complete or was aborted. */
  abort(retries: number): Promise<void> {
    return abortUpload(this.#client, this.key, this.#id, this.#doing, retries);
  }
}

/** Begins an upload. After a lost response, the repeated request begins another one, and `sweep` removes the first. */
export const beginUpload = async (
  client: S3Client,
  key: string,
  doing: string,
  signal: AbortSignal,
): Promise<MultipartUpload> => {
  const { xml } = await client.send({
    method: 'POST',
    key,
    query: { uploads: '' },
    headers: CONTENT_TYPE,
    signal,
    doing,
  });
  const id = xml === undefined ? undefined : childText(xml, 'UploadId');
  if (id === undefined || id === '') {
    throw invalidFailure(doing, 'the response has no UploadId. Check that the endpoint is an S3 server');
  }
  return new MultipartUpload(client, key, id, doing);
};

/** Aborts an upload. Ignores a missing one. */
export const abortUpload = async (
  client: S3Client,
  key: string,
  uploadId: string,
  doing: string,
  retries?: number,
): Promise<void> => {
  try {
    await client.send({ method: 'DELETE', key, query: { uploadId }, doing }, retries);
  } catch (error) {
    if (!isS3Failure(error) || error.status !== 404) {
      throw error;
    }
  }
};
