/** Reads a part of a stored blob. A blob that is stored again meanwhile is read to its end. */
import type { Bytes } from '../../core/data/bytes.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import type { CID, CidBytes } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { keyOfCid } from './ordered-cid.ts';
import type { TableNames } from './schema.ts';
import type { SqlSession } from './sql-client.ts';
import { CHUNK_SIZE, readChunks } from './upload.ts';

/** Rows of one read: 1 MiB. */
const CHUNKS_AT_ONCE = 4;

/** How often a read follows a blob to another upload. */
const ATTEMPTS = 20;

/** A blob, and the tables that it is in. */
export interface BlobPlace {
  readonly session: SqlSession;
  readonly names: TableNames;
  /** The number of the repository, in decimal. */
  readonly repo: string;
  readonly cid: CID;
}

export interface StoredBlob {
  readonly size: number;
  /** The id of the upload that has its bytes. */
  readonly upload: Uint8Array;
}

/** Returns a blob, or `undefined` if it is missing. */
export const findBlob = async ({ session, names, repo, cid }: BlobPlace): Promise<StoredBlob | undefined> => {
  const [row] = await session.query(
    `select size::text, upload from ${names.blobs} where repo = $1::text::int8 and key = $2::bytea`,
    [repo, keyOfCid(cid.bytes as CidBytes)],
  );
  return row && { size: Number(row[0]), upload: row[1] as Uint8Array };
};

/**
 * Yields the bytes from `start` up to, but not including, `end`. All of them, or it throws. All uploads of a CID have
 * the same bytes, so another upload continues at the same position.
 * @throws {RepoError} `BlobNotFound` if the blob was deleted; `Corrupt` if rows are missing; `StorageFailed`.
 */
export async function* readBlobRange(
  place: BlobPlace,
  blob: StoredBlob,
  start: number,
  end: number,
): AsyncGenerator<Bytes, void, undefined> {
  const { session, names, repo, cid } = place;
  let { upload } = blob;
  let attempts = 0;
  for (let at = start; at < end; ) {
    const first = Math.floor(at / CHUNK_SIZE);
    const last = Math.min(first + CHUNKS_AT_ONCE, Math.ceil(end / CHUNK_SIZE));
    const chunks = await readChunks(session, names, { repo, id: upload }, first, last);
    const isComplete = chunks.every((bytes, i) => {
      const left = blob.size - (first + i) * CHUNK_SIZE;
      return bytes.length === Math.min(CHUNK_SIZE, left);
    });
    if (chunks.length === last - first && isComplete) {
      for (const [i, bytes] of chunks.entries()) {
        const offset = (first + i) * CHUNK_SIZE;
        yield bytes.subarray(Math.max(0, at - offset), end - offset);
      }
      at = Math.min(end, last * CHUNK_SIZE);
      continue;
    }
    // Storing the blob again removes the rows of its last upload.
    const present = await findBlob(place);
    if (present === undefined) {
      throw new RepoError('BlobNotFound', `the blob was deleted while it was read; cid=${cid}`);
    }
    attempts += 1;
    if (equalBytes(present.upload, upload) || present.size !== blob.size || attempts > ATTEMPTS) {
      throw new RepoError('Corrupt', `the rows of a blob are not complete: store it again; cid=${cid}`);
    }
    upload = present.upload;
  }
}
