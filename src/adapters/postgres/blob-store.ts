/** The blobs of one repository in PostgreSQL. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { CidBytes } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidOfDigest, CODEC_RAW } from '../../core/data/cid.ts';
import type { CreateHash } from '../../core/data/sha256.ts';
import { sha256Stream } from '../../wasm/hash/sha256-stream.ts';
import { RepoError } from '../../core/errors.ts';
import { readBlobSource } from '../../core/storage/blob-source.ts';
import { LazyBlob } from '../../core/storage/lazy-blob.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import type { BlobInfo, BlobSource, BlobStore, PutBlobOptions, ScratchFile } from '../../core/storage/ports.ts';
import type { BlobPlace, StoredBlob } from './blob-ranges.ts';
import { findBlob, readBlobRange } from './blob-ranges.ts';
import { cidOfKey, keyOfCid } from './ordered-cid.ts';
import { packedKeyAt, packKeys } from './packed-list.ts';
import type { TableNames } from './schema.ts';
import type { SqlParameter, SqlSession } from './sql-client.ts';
import { withSqlErrors } from './sql-errors.ts';
import type { RepoRow } from './transaction.ts';
import { Upload } from './upload.ts';

/** Blobs per page of a list, and per statement that removes them. */
const PAGE_ENTRIES = 1000;

/** Attempts at an operation that another process may disturb. */
const ATTEMPTS = 20;

const MILLISECONDS = '(extract(epoch from stored_at) * 1000)::int8::text';

/**
 * A blob store over PostgreSQL. Each statement is its own transaction. The rows of a blob are stored under the id of
 * their upload, and at the end one statement points the blob to them.
 */
export class PostgresBlobStore implements BlobStore {
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #did: string;
  readonly #repo: string;
  readonly #createHash: CreateHash;
  readonly #lifetime: Lifetime = new Lifetime('blob store');

  /** @param session Never waits for a connection of a change, because blobs are also read inside of changes. */
  constructor(session: SqlSession, names: TableNames, { did, id }: RepoRow, createHash: CreateHash = sha256Stream) {
    this.#session = withSqlErrors(session, `a statement for the blobs of ${did}`);
    this.#names = names;
    this.#did = did;
    this.#repo = id;
    this.#createHash = createHash;
  }

  put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobInfo> {
    return this.#lifetime.run(async () => {
      const upload = this.#upload();
      const hash = this.#createHash();
      let size = 0;
      try {
        for await (const chunk of readBlobSource(source, options)) {
          hash.update(chunk);
          size += chunk.length;
          await upload.append(chunk);
        }
        await upload.flush();
        const cid = cidOfDigest(CODEC_RAW, hash.digest());
        return { cid, size, storedAt: await this.#point(cid, size, upload) };
      } catch (error) {
        await upload.remove();
        throw error;
      }
    });
  }

  get(cid: CID): Promise<Blob | undefined> {
    return this.#lifetime.run(async () => {
      const place = this.#place(cid);
      const blob = await findBlob(place);
      return blob && new LazyBlob((start, end) => this.#range(place, blob, start, end), 0, blob.size, '');
    });
  }

  async *#range(place: BlobPlace, blob: StoredBlob, start: number, end: number): AsyncGenerator<Bytes> {
    this.#lifetime.assertOpen();
    for await (const bytes of readBlobRange(place, blob, start, end)) {
      yield bytes;
      this.#lifetime.assertOpen();
    }
  }

  delete(cids: readonly CID[]): Promise<void> {
    return this.#lifetime.run(async () => {
      const { blobs, blobChunks } = this.#names;
      for (let start = 0; start < cids.length; start += PAGE_ENTRIES) {
        const some = cids.slice(start, start + PAGE_ENTRIES);
        await this.#session.query(
          `with gone as (
            delete from ${blobs} where repo = $1::text::int8 and key in (
              select ${packedKeyAt('$2::bytea', 'o.n')}
              from generate_series(0, $3::text::int4 - 1) as o(n)
            ) returning upload
          )
          delete from ${blobChunks} where repo = $1::text::int8 and upload in (select upload from gone)`,
          [this.#repo, packKeys(some), String(some.length)],
        );
      }
    });
  }

  async *list({ after }: { readonly after?: CID | undefined } = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#lifetime.assertOpen();
    let last = after === undefined ? new Uint8Array(0) : keyOfCid(after.bytes as CidBytes);
    for (;;) {
      const rows = await this.#session.query(
        `select key, size::text, ${MILLISECONDS} from ${this.#names.blobs}
        where repo = $1::text::int8 and key > $2::bytea order by key limit ${PAGE_ENTRIES}`,
        [this.#repo, last],
      );
      for (const [key, size, storedAt] of rows) {
        this.#lifetime.assertOpen();
        yield { cid: cidOfKey(key as Uint8Array), size: Number(size), storedAt: Number(storedAt) };
      }
      this.#lifetime.assertOpen();
      if (rows.length < PAGE_ENTRIES) {
        return;
      }
      last = rows.at(-1)![0] as Uint8Array<ArrayBuffer>;
    }
  }

  /**
   * An upload that no blob refers to. If a crash leaves one, `sweep` removes it. Opening a store does not,
   * because other processes may write theirs.
   */
  scratch(): Promise<ScratchFile> {
    return this.#lifetime.run(async () => {
      const upload = this.#upload();
      return {
        append: (bytes) => this.#lifetime.run(() => upload.append(bytes)),
        read: async function* () {
          await upload.flush();
          yield* upload.read();
        },
        remove: () => upload.remove(),
      };
    });
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #place(cid: CID): BlobPlace {
    return { session: this.#session, names: this.#names, repo: this.#repo, cid };
  }

  #upload(): Upload {
    return new Upload(this.#session, this.#names, this.#repo);
  }

  /**
   * Points a blob to an upload, and removes the rows of the upload that it pointed to. Returns the time. Two processes
   * that store the same blob replace each other's uploads: each statement names the upload that it replaces.
   */
  async #point(cid: CID, size: number, { id, chunks }: Upload): Promise<number> {
    const { blobs, blobChunks, repos } = this.#names;
    const key = keyOfCid(cid.bytes as CidBytes);
    const parameters: SqlParameter[] = [this.#repo, key, id, String(size), String(chunks)];
    // `sweep` or the end of the repository may have removed the rows.
    const isComplete = `(select count(*) from ${blobChunks}
      where repo = $1::text::int8 and upload = $3::bytea) = $5::text::int8`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const old = await findBlob(this.#place(cid));
      const [stored] =
        old === undefined
          ? await this.#session.query(
              `insert into ${blobs} (repo, key, size, stored_at, upload)
              select r.id, $2::bytea, $4::text::int8, clock_timestamp(), $3::bytea
              from (select id from ${repos} where id = $1::text::int8 for key share) as r where ${isComplete}
              on conflict (repo, key) do nothing returning ${MILLISECONDS}`,
              parameters,
            )
          : await this.#session.query(
              `with moved as (
                update ${blobs} set upload = $3::bytea, size = $4::text::int8, stored_at = clock_timestamp()
                where repo = $1::text::int8 and key = $2::bytea and upload = $6::bytea and ${isComplete}
                returning stored_at
              ), removed as (
                delete from ${blobChunks}
                where repo = $1::text::int8 and upload = $6::bytea and exists (select from moved)
              )
              select ${MILLISECONDS} from moved`,
              [...parameters, old.upload],
            );
      if (stored !== undefined) {
        return Number(stored[0]);
      }
    }
    throw new RepoError(
      'StorageFailed',
      `the blob was removed while it was stored, or its repository was deleted: store it again; cid=${cid} did=${this.#did}`,
    );
  }
}
