/** Stores, copies and deletes objects, each with one request. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { S3Client } from './client.ts';
import { isS3Failure } from './failure.ts';
import { keyPath } from './options.ts';

/** The type of every object. The MIME type of a blob is stored in the repository. */
export const CONTENT_TYPE = { 'content-type': 'application/octet-stream' } as const;

export interface NewObject {
  readonly key: string;
  readonly body: Bytes;
  /** The SHA-256 of the body in hexadecimal. */
  readonly sha256: string;
}

/** Stores an object, or replaces it. */
export const putObject = async (
  client: S3Client,
  object: NewObject,
  doing: string,
  signal: AbortSignal,
): Promise<void> => {
  await client.send({ method: 'PUT', ...object, headers: CONTENT_TYPE, signal, doing });
};

/** Copies an object within the bucket. */
export const copyObject = async (
  client: S3Client,
  { from, to }: { readonly from: string; readonly to: string },
  doing: string,
  signal: AbortSignal,
): Promise<void> => {
  const source = `/${keyPath(client.place.bucket)}/${keyPath(from)}`;
  await client.send({ method: 'PUT', key: to, headers: { 'x-amz-copy-source': source }, signal, doing });
};

/** Deletes an object. Ignores a missing one: some servers report it. */
export const deleteObject = async (client: S3Client, key: string, doing: string, retries?: number): Promise<void> => {
  try {
    await client.send({ method: 'DELETE', key, doing }, retries);
  } catch (error) {
    if (!isS3Failure(error) || error.s3Code !== 'NoSuchKey') {
      throw error;
    }
  }
};
