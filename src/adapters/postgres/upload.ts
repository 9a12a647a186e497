/** Bytes on their way into the database, in rows of 256 KiB. A blob or a scratch file consists of one upload. */
import type { TableNames } from './schema.ts';
import type { SqlSession } from './sql-client.ts';

/** Bytes of a row. Each is one statement, so a stream of any length needs this much memory. */
export const CHUNK_SIZE: number = 256 * 1024;

/** Rows of one read: 4 MiB. */
const CHUNKS_AT_ONCE = 16;

const UPLOAD_ID_LENGTH = 16;
const TIME_LENGTH = 6;

/** Returns the least id of an upload that begins at a time, in milliseconds since 1970. Later ones are greater. */
export const uploadIdAt = (time: number): Uint8Array<ArrayBuffer> => {
  const id = new Uint8Array(UPLOAD_ID_LENGTH);
  new DataView(id.buffer).setBigUint64(0, BigInt(Math.max(0, Math.floor(time))) << 16n);
  return id;
};

/** Returns a new id: the time, so that `sweep` knows the age of an upload, and 10 random bytes. */
const newUploadId = (): Uint8Array<ArrayBuffer> => {
  const id = uploadIdAt(Date.now());
  crypto.getRandomValues(id.subarray(TIME_LENGTH));
  return id;
};

/** Yields the bytes of an upload, in order. */
export async function* readUpload(
  session: SqlSession,
  { blobChunks }: TableNames,
  repo: string,
  id: Uint8Array,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (let next = 0; ; next += CHUNKS_AT_ONCE) {
    const rows = await session.query(
      `select bytes from ${blobChunks} where repo = $1::text::int8 and upload = $2::bytea and number >= $3::text::int4
      order by number limit ${CHUNKS_AT_ONCE}`,
      [repo, id, String(next)],
    );
    for (const [bytes] of rows) {
      yield bytes as Uint8Array<ArrayBuffer>;
    }
    if (rows.length < CHUNKS_AT_ONCE) {
      return;
    }
  }
}

export class Upload {
  readonly id: Uint8Array = newUploadId();
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #repo: string;
  readonly #buffer = new Uint8Array(CHUNK_SIZE);
  #used = 0;
  #chunks = 0;

  constructor(session: SqlSession, names: TableNames, repo: string) {
    this.#session = session;
    this.#names = names;
    this.#repo = repo;
  }

  /** Number of stored rows. */
  get chunks(): number {
    return this.#chunks;
  }

  async append(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      const some = bytes.subarray(at, at + CHUNK_SIZE - this.#used);
      this.#buffer.set(some, this.#used);
      this.#used += some.length;
      at += some.length;
      if (this.#used === CHUNK_SIZE) {
        await this.flush();
      }
    }
  }

  /** Stores the rest. */
  async flush(): Promise<void> {
    if (this.#used > 0) {
      await this.#session.query(
        `insert into ${this.#names.blobChunks} (repo, upload, number, bytes)
        values ($1::text::int8, $2::bytea, $3::text::int4, $4::bytea)`,
        [this.#repo, this.id, String(this.#chunks), this.#buffer.slice(0, this.#used)],
      );
      this.#chunks += 1;
      this.#used = 0;
    }
  }

  read(): AsyncIterable<Uint8Array> {
    return readUpload(this.#session, this.#names, this.#repo, this.id);
  }

  /** Removes its rows. Does not reject: `sweep` removes the rest. */
  async remove(): Promise<void> {
    try {
      await this.#session.query(
        `delete from ${this.#names.blobChunks} where repo = $1::text::int8 and upload = $2::bytea`,
        [this.#repo, this.id],
      );
    } catch {
      // No blob refers to the rows, so they are only space, which `sweep` frees.
    }
  }
}

/**
 * Removes the uploads that no blob refers to and that began before a time. Returns their number. A process that ended
 * in the middle of an upload leaves one.
 */
export const removeOrphanedUploads = async (
  session: SqlSession,
  { blobs, blobChunks }: TableNames,
  before: number,
): Promise<number> => {
  const orphans = await session.query(
    `select repo::text, upload from ${blobChunks} as c where number = 0 and upload < $1::bytea
    and not exists (select from ${blobs} as b where b.repo = c.repo and b.upload = c.upload)`,
    [uploadIdAt(before)],
  );
  for (const [repo, upload] of orphans) {
    await session.query(`delete from ${blobChunks} where repo = $1::text::int8 and upload = $2::bytea`, [
      repo as string,
      upload as Uint8Array,
    ]);
  }
  return orphans.length;
};
