/** Reads a part of a stored blob. An interrupted response is continued by another request. */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { S3Client } from './client.ts';
import { invalidFailure, isS3Failure } from './failure.ts';
import { waitBeforeRetry } from './retry.ts';

const DOING = 'reading a blob';

export interface StoredObject {
  readonly key: string;
  readonly size: number;
}

/**
 * Yields the bytes from `start` up to, but not including, `end`. All of them, or it throws.
 * @throws {RepoError} `BlobNotFound` if the blob was deleted; an `S3Failure`.
 */
export async function* readRange(
  client: S3Client,
  { key, size }: StoredObject,
  start: number,
  end: number,
): AsyncGenerator<Bytes, void, undefined> {
  let at = start;
  let failures = 0;
  while (at < end) {
    const from = at;
    const check = (response: Response): void => {
      // A server that ignores the range sends everything. Browsers show the second header only if CORS exposes it.
      const isWhole = response.status === 200 && from === 0 && end === size;
      const range = response.headers.get('content-range') ?? `bytes ${from}-${end - 1}/${size}`;
      if (!isWhole && (response.status !== 206 || range !== `bytes ${from}-${end - 1}/${size}`)) {
        throw invalidFailure(DOING, `the server sent another range than bytes ${from}-${end - 1}/${size}`);
      }
    };
    try {
      const request = { method: 'GET', key, headers: { range: `bytes=${from}-${end - 1}` }, doing: DOING } as const;
      for await (const chunk of client.chunks(request, end - from, check)) {
        at += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (isS3Failure(error) && error.status === 404) {
        throw new RepoError('BlobNotFound', `the blob was deleted while it was read; key=${key}`, { cause: error });
      }
      failures = at > from ? 1 : failures + 1;
      if (failures > client.place.retries || !isS3Failure(error) || !error.isTransient) {
        throw error;
      }
      await waitBeforeRetry(failures);
    }
  }
}
