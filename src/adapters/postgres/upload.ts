/** Bytes on their way into the database, in rows of 256 KiB. A blob or a scratch file consists of one upload. */
import { RepoError } from '../../core/errors.ts';
import type { TableNames } from './schema.ts';
import type { SqlSession } from './sql-client.ts';

/** Bytes of a row. Each is one statement, so a stream of any length needs this much memory. */
export const CHUNK_SIZE: number = 256 * 1024;

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

/** Returns the rows of an upload from number `first` up to, but not including, `end`. Missing rows are absent. */
export const readChunks = async (
  session: SqlSession,
  { blobChunks }: TableNames,
  { repo, id }: { readonly repo: string; readonly id: Uint8Array },
  first: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>[]> => {
  const rows = await session.query(
    `select bytes from ${blobChunks} where repo = $1::text::int8 and upload = $2::bytea
    and number >= $3::text::int4 and number < $4::text::int4 order by number`,
    [repo, id, String(first), String(end)],
  );
  return rows.map(([bytes]) => bytes as Uint8Array<ArrayBuffer>);
};

/**
 * The rows of an upload. A row is sent while the next one is filled. The rows need not be durable: the statement that
 * points a blob to them waits for the disk, and PostgreSQL writes its log in order. After a crash, that statement
 * counts too few rows.
 */
export class Upload {
  readonly id: Uint8Array = newUploadId();
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #repo: string;
  #buffer = new Uint8Array(CHUNK_SIZE);
  /** The other buffer, while its row is sent. */
  #spare = new Uint8Array(CHUNK_SIZE);
  #sending: Promise<void> | undefined;
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
        await this.#send();
      }
    }
  }

  /** Stores the rest, and waits for all rows. */
  async flush(): Promise<void> {
    if (this.#used > 0) {
      await this.#send();
    }
    await this.#sending;
  }

  /** Waits for the row before, then begins to store the buffer. */
  async #send(): Promise<void> {
    await this.#sending;
    const sending = this.#insert(this.#chunks, this.#buffer.subarray(0, this.#used));
    // Reported by the next `append` or `flush`.
    sending.catch(() => undefined);
    this.#sending = sending;
    this.#chunks += 1;
    this.#used = 0;
    [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
  }

  async #insert(number: number, bytes: Uint8Array): Promise<void> {
    await this.#session.query(
      `insert into ${this.#names.blobChunks} (repo, upload, number, bytes)
      select $1::text::int8, $2::bytea, $3::text::int4, $4::bytea
      from set_config('synchronous_commit', 'off', true)`,
      [this.#repo, this.id, String(number), bytes],
    );
  }

  /** @throws {RepoError} `StorageFailed` if rows are missing. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let number = 0; number < this.#chunks; number += 1) {
      const [bytes] = await readChunks(
        this.#session,
        this.#names,
        { repo: this.#repo, id: this.id },
        number,
        number + 1,
      );
      if (bytes === undefined) {
        throw new RepoError('StorageFailed', `rows of a scratch file were removed: try again; number=${number}`);
      }
      yield bytes;
    }
  }

  /** Removes its rows. Does not reject: `sweep` removes the rest. */
  async remove(): Promise<void> {
    try {
      await this.#sending?.catch(() => undefined);
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
