/** The four tables of `pds.db` and the form of their values. The caller checks that the store is open. */
import type { NamedBlock } from '../../core/blocks/block.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID, CidLike } from '../../core/data/cid.ts';
import {
  bytesOfCid,
  CID_LENGTH,
  CID_TEXT_LENGTH,
  cidTextToBytes,
  cidToText,
  decodeCid,
  writeCidText,
} from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { PendingWrites } from '../../core/storage/pending-reads.ts';
import type { ChangeSource } from '../../core/storage/pending-change.ts';
import type { CommitRange } from '../../core/storage/ports.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { isTid } from '../../core/syntax/tid.ts';
import { BlockCount } from './block-count.ts';
import type { KeyValueTable } from './key-value-table.ts';
import type { TablePrefix } from './schema.ts';
import { decodeText, openTable } from './schema.ts';
import type { SqlDatabase } from './sql-database.ts';
import { BLOCK_COUNT, StoredCount } from './stored-count.ts';

/** All calls are synchronous and run in the current transaction of the database. */
export class StoreTables implements ChangeSource {
  readonly table: Readonly<Record<'blocks' | 'commits' | 'meta' | 'refs', KeyValueTable>>;

  /** The number of blocks. It stays in memory, and so does the ref that was read last. */
  readonly blockCount: BlockCount;
  readonly #storedCount: StoredCount;
  #lastRef: { readonly name: string; readonly cid: CID | undefined } | undefined;

  constructor(database: SqlDatabase, prefix: TablePrefix) {
    this.table = {
      blocks: openTable(database, prefix, 'blocks'),
      commits: openTable(database, prefix, 'commits'),
      meta: openTable(database, prefix, 'meta'),
      refs: openTable(database, prefix, 'refs'),
    };
    const storedCount = new StoredCount(database, this.table);
    this.#storedCount = storedCount;
    this.blockCount = new BlockCount({ count: () => this.table.blocks.count(), stored: () => storedCount.read() });
  }

  get(cid: CidLike): Bytes | undefined {
    return this.table.blocks.get(keyOf(cid));
  }

  getMany(cids: readonly CidLike[]): (Bytes | undefined)[] {
    return cids.map((cid) => this.table.blocks.get(keyOf(cid)));
  }

  ref(name: string): CID | undefined {
    // Each read of a record asks for the head. Nothing else writes to the file.
    if (this.#lastRef?.name !== name) {
      const value = this.table.refs.get(name);
      this.#lastRef = { name, cid: value && readCid(this.table.refs, name, value) };
    }
    return this.#lastRef.cid;
  }

  /** Call when a change begins. */
  begin(): void {
    this.blockCount.begin();
  }

  /** Call when a change was rolled back. */
  undo(): void {
    this.blockCount.undo();
    this.#lastRef = undefined;
    this.#storedCount.undo();
  }

  /** Call when rows were changed in another way. The values in memory are read again. */
  forget(): void {
    this.blockCount.forget();
    this.#lastRef = undefined;
  }

  *refs(): Generator<[name: string, cid: CID]> {
    for (const [name, value] of this.table.refs.iterate()) {
      yield [name, readCid(this.table.refs, name, value)];
    }
  }

  meta(name: string): string | undefined {
    if (name === BLOCK_COUNT) {
      return undefined;
    }
    const value = this.table.meta.get(name);
    return value && decodeText(this.table.meta, name, value);
  }

  *metaEntries(prefix = ''): Generator<[name: string, value: string]> {
    for (const [name, value] of this.table.meta.iterate({ prefix })) {
      if (name !== BLOCK_COUNT) {
        yield [name, decodeText(this.table.meta, name, value)];
      }
    }
  }

  commit(rev: Tid): CID | undefined {
    const value = this.table.commits.get(rev);
    return value && readCid(this.table.commits, rev, value);
  }

  *commits(range: CommitRange = {}): Generator<[rev: Tid, cid: CID]> {
    for (const [rev, value] of this.table.commits.iterate(range)) {
      if (!isTid(rev)) {
        const where = `table=${this.table.commits.name} key=${rev.slice(0, 80)}`;
        throw new RepoError('Corrupt', `the key of a row is not a rev: call repair; ${where}`);
      }
      yield [rev, readCid(this.table.commits, rev, value)];
    }
  }

  *cids(): Generator<CID> {
    for (const key of this.table.blocks.keys()) {
      const bytes = cidTextToBytes(key);
      if (bytes === undefined) {
        const where = `table=${this.table.blocks.name} key=${key.slice(0, 80)}`;
        throw new RepoError('Corrupt', `the key of a block is not a CID: call repair; ${where}`);
      }
      yield decodeCid(bytes);
    }
  }

  add(blocks: readonly NamedBlock[]): boolean[] {
    // In the order of the call: sorting the rows by key first saved no time, at up to 400,000 rows.
    const added = blocks.map(({ cid, bytes }) => this.table.blocks.add(keyOf(cid), bytes));
    this.blockCount.add(added.reduce((sum, isNew) => sum + Number(isNew), 0));
    return added;
  }

  removeBlocks({ removed }: PendingWrites): void {
    for (const key of removed) {
      this.blockCount.add(this.table.blocks.delete(key) ? -1 : 0);
    }
  }

  writeNames({ refs, meta, commits }: PendingWrites): void {
    this.#lastRef = undefined;
    applyTo(this.table.refs, refs, cidToText);
    applyTo(this.table.meta, meta, String);
    applyTo(this.table.commits, commits, cidToText);
    this.#storedCount.write(this.blockCount.known);
  }

  /** Finalizes the statements. The next use prepares them again. */
  release(): void {
    for (const table of Object.values(this.table)) {
      table.release();
    }
    this.#storedCount.release();
  }

  close(): void {
    for (const table of Object.values(this.table)) {
      table.close();
    }
    this.#storedCount.release();
  }
}

/** A buffer that {@link keyOf} returns. Valid until its next call. */
const lastKey: Uint8Array = /* @__PURE__ */ new Uint8Array(CID_TEXT_LENGTH);

/** Returns the key of a block's row: the text of its CID, in the bytes that SQLite stores. */
const keyOf = (cid: CidLike): string | Uint8Array => {
  const bytes = bytesOfCid(cid);
  if (bytes.length !== CID_LENGTH) {
    return cidToText(cid);
  }
  writeCidText(bytes, lastKey);
  return lastKey;
};

/** @throws {RepoError} `Corrupt` if the value of a row is not the text of a CID. */
export const readCid = (table: KeyValueTable, key: string, value: Bytes): CID => {
  const text = decodeText(table, key, value);
  const bytes = cidTextToBytes(text);
  if (bytes === undefined) {
    throw new RepoError(
      'Corrupt',
      `the value of a row is not a CID: call repair; table=${table.name} key=${key.slice(0, 80)} value=${text.slice(0, 80)}`,
    );
  }
  return decodeCid(bytes);
};

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

const applyTo = <V>(
  table: KeyValueTable,
  changes: ReadonlyMap<string, V | undefined>,
  toText: (value: V) => string,
): void => {
  for (const [key, value] of changes) {
    if (value === undefined) {
      table.delete(key);
    } else {
      table.put(key, encoder.encode(toText(value)));
    }
  }
};
