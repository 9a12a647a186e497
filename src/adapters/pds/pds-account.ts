/** Reads an account from the database of a Bluesky PDS (`store.sqlite` of `@atproto/pds`), without writing to it. */
import { carBlock, carHeader } from '../../core/car/writer.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidTextToBytes, decodeCid } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { loadSqlite } from '../../wasm/database/sqlite.ts';
import type { Database } from '../../wasm/database/database.ts';
import type { ReadOnlyFiles } from '../../wasm/vfs/database-files.ts';
import { recoveredFiles } from '../sqlite/open-read-only.ts';
import { openInspected } from '../sqlite/inspect-database.ts';

/** A blob that the PDS stores in its blob store, `<folder>/<did>/<cid>`. */
export interface PdsBlob {
  readonly cid: CID;
  readonly mimeType: string;
  readonly size: number;
}

/** An account in the database of a PDS. */
export interface PdsAccount extends AsyncDisposable {
  readonly did: string;
  readonly head: CID;
  readonly rev: string;
  /** The blobs of the account, in the order of their CIDs. */
  readonly blobs: readonly PdsBlob[];
  /**
   * Yields the repository as a CAR, for `importCar` or `importRepo`, which verify it. The iteration fails with `Locked`
   * if the PDS has rewritten the database meanwhile: open the account again.
   */
  car(): AsyncIterable<Uint8Array>;
  /** Closes the files. A second call does nothing. */
  close(): Promise<void>;
}

/** Bytes per chunk. A chunk per block would be slow. */
const CHUNK_SIZE = 64 * 1024;

const EXPECTED = 'expected the store.sqlite of a Bluesky PDS (@atproto/pds 0.4). Check the path';

const notAPds = (why: string, cause?: unknown): RepoError =>
  new RepoError('Malformed', `the database is not an account of a PDS: ${why}; ${EXPECTED}`, { cause });

const changed = (): RepoError =>
  new RepoError('Locked', 'the PDS has rewritten its database during the read: open the account again');

const cidOfText = (text: string): CID => {
  const bytes = cidTextToBytes(text);
  if (bytes === undefined) {
    throw notAPds(`a CID is not valid; cid=${text.slice(0, 80)}`);
  }
  return decodeCid(bytes);
};

/** Runs a query, and yields a value per row. */
function* rowsOf<T>(
  database: Database,
  sql: string,
  row: (statement: ReturnType<Database['prepare']>) => T,
  text?: string,
): Generator<T, void, undefined> {
  const statement = database.prepare(sql);
  try {
    if (text !== undefined) {
      statement.bindText(1, text);
    }
    while (statement.step()) {
      yield row(statement);
    }
  } finally {
    statement.finalize();
  }
}

class OpenAccount implements PdsAccount {
  readonly did: string;
  readonly head: CID;
  readonly rev: string;
  readonly blobs: readonly PdsBlob[];
  readonly #database: Database;
  readonly #files: ReadOnlyFiles;
  #isClosed = false;

  constructor(database: Database, files: ReadOnlyFiles) {
    this.#database = database;
    this.#files = files;
    const [root] = rowsOf(database, 'select did, cid, rev from repo_root', (row) => ({
      did: row.columnText(0),
      head: cidOfText(row.columnText(1)),
      rev: row.columnText(2),
    }));
    if (root === undefined) {
      throw notAPds('it has no repository');
    }
    this.did = root.did;
    this.head = root.head;
    this.rev = root.rev;
    // While `tempKey` is set, an upload is not part of a record.
    const blobs = 'select cid, mimeType, size from blob where tempKey is null order by cid';
    this.blobs = [
      ...rowsOf(database, blobs, (row) => ({
        cid: cidOfText(row.columnText(0)),
        mimeType: row.columnText(1),
        size: row.columnInt(2),
      })),
    ];
  }

  async *car(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#assertOpen();
    let size = 0;
    let parts: Bytes[] = [carHeader(this.head)];
    for (const block of this.#blocks()) {
      parts.push(block);
      size += block.length;
      if (size >= CHUNK_SIZE) {
        yield* parts;
        parts = [];
        size = 0;
        this.#assertOpen();
      }
    }
    yield* parts;
    if (!this.#files.isCurrent()) {
      throw changed();
    }
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#database.abandon();
      await this.#files.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Yields the commit first, because a reader of a stream looks for it. */
  *#blocks(): Generator<Bytes, void, undefined> {
    const head = this.head.toString();
    const block = (row: ReturnType<Database['prepare']>): Bytes =>
      carBlock(cidOfText(row.columnText(0)), row.columnBlob(1));
    try {
      yield* rowsOf(this.#database, 'select cid, content from repo_block where cid = ?1', block, head);
      yield* rowsOf(this.#database, 'select cid, content from repo_block where cid <> ?1', block, head);
    } catch (error) {
      throw isRepoError(error) && !this.#files.isCurrent() ? changed() : error;
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the account is closed: open it again to read it');
    }
  }
}

/** Attempts to open the database while the PDS writes to it. */
const MAX_TRIES = 20;

const openOnce = (wasm: Awaited<ReturnType<typeof loadSqlite>>, files: ReadOnlyFiles): OpenAccount => {
  if (files.main.getSize() === 0) {
    throw notAPds('it is empty');
  }
  const database = openInspected(wasm, recoveredFiles(files), { isNew: false, isForeign: true });
  try {
    return new OpenAccount(database, files);
  } catch (error) {
    database.abandon();
    throw error;
  }
};

/**
 * Opens an account of a PDS over its files.
 * @param openFiles Opens the files in their present state.
 * @throws {RepoError} `Malformed` if the database is not that of a PDS; `Locked` if the PDS keeps rewriting it; the
 *   codes of `openFiles`.
 */
export const openPdsAccount = async (
  wasm: WebAssembly.Module,
  openFiles: () => Promise<ReadOnlyFiles>,
): Promise<PdsAccount> => {
  const sqlite = await loadSqlite(wasm);
  for (let tries = 1; ; tries++) {
    const files = await openFiles();
    try {
      const account = openOnce(sqlite, files);
      if (files.isCurrent()) {
        return account;
      }
      await account.close();
    } catch (error) {
      const isOfOneState = files.isCurrent();
      await files.close();
      if (isOfOneState) {
        // A database without these tables, or not a database at all.
        throw isRepoError(error, 'Corrupt') || (isRepoError(error) && error.message.includes('no such table'))
          ? notAPds(error.message, error)
          : error;
      }
    }
    if (tries === MAX_TRIES) {
      throw changed();
    }
  }
};
