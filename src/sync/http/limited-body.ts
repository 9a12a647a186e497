/** Reads the body of a response up to a limit, which counts after decompression. */
import { concatBytes } from '../../core/data/bytes.ts';
import { forEachChunk } from '../../core/data/streams.ts';
import { RepoError } from '../../core/errors.ts';

/**
 * Returns the body.
 * @throws {RepoError} `LimitExceeded` when it has more than `most` bytes; the rest is not read. The error of the
 *   connection when it breaks.
 */
export const readBody = async (response: Response, most: number): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body !== null) {
    await forEachChunk(response.body, (chunk) => {
      size += chunk.length;
      if (size > most) {
        throw new RepoError('LimitExceeded', `the response has more than ${most} bytes; url=${response.url}`);
      }
      chunks.push(chunk);
    });
  }
  return concatBytes(chunks);
};
