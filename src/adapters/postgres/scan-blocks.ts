/** Reads all blocks of a repository by `COPY`, which takes a fifth of the time of rows. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { PackedBlocks } from '../../core/blocks/packed-blocks.ts';
import type { CidBytes } from '../../core/data/cid.ts';
import { CID_LENGTH } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { cidBytesOfKey, keyOfCid } from './ordered-cid.ts';
import type { TableNames } from './schema.ts';
import type { SqlClient } from './sql-client.ts';
import { toSqlError } from './sql-errors.ts';

/** The limits of a page. It is read while the page before it is used, so two are in memory. */
const PAGE_ROWS = 16_384;
const PAGE_BYTES = 4 * 1024 * 1024;

/** Runs `COPY`, see `SqlClient`. */
export type CopyOut = NonNullable<SqlClient['copyOut']>;

/** The chunks of a `COPY`, one after the other. */
class CopiedBytes {
  #memory = new Uint8Array(64 * 1024);
  #size = 0;

  add(chunk: Uint8Array): void {
    const end = this.#size + chunk.length;
    if (end > this.#memory.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#memory.length));
      larger.set(this.#memory.subarray(0, this.#size));
      this.#memory = larger;
    }
    this.#memory.set(chunk, this.#size);
    this.#size = end;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(0, this.#size);
  }
}

interface Page {
  readonly blocks: PackedBlocks;
  /** The last key, or `undefined` if no block follows. */
  readonly last: Uint8Array | undefined;
}

const SIGNATURE = 'PGCOPY\n\xff\r\n\0';
const FIELDS = 2;

const unreadable = (): RepoError =>
  new RepoError(
    'StorageFailed',
    'PostgreSQL sent a COPY in an unknown format: read with another version of the server',
  );

/**
 * Takes blocks from a `COPY` of keys and bytes in the binary format. Writes each CID before its block.
 * https://www.postgresql.org/docs/current/sql-copy.html
 */
const pageOf = (memory: Uint8Array<ArrayBuffer>): Page => {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const blocks = new PackedBlocks(memory);
  let last: CidBytes | undefined;
  let size = 0;
  if (String.fromCharCode(...memory.subarray(0, SIGNATURE.length)) !== SIGNATURE) {
    throw unreadable();
  }
  // The signature, 4 bytes of flags, and an extension with its length.
  let at = SIGNATURE.length + 8 + view.getUint32(SIGNATURE.length + 4);
  while (view.getInt16(at) === FIELDS) {
    const keyStart = at + 6;
    if (view.getInt32(at + 2) !== CID_LENGTH) {
      throw unreadable();
    }
    const start = keyStart + CID_LENGTH + 4;
    const length = view.getInt32(start - 4);
    last = cidBytesOfKey(memory.subarray(keyStart, keyStart + CID_LENGTH));
    memory.set(last, start - CID_LENGTH);
    blocks.push(start, start + length);
    size += length;
    at = start + length;
  }
  if (view.getInt16(at) !== -1) {
    throw unreadable();
  }
  const isFull = blocks.length === PAGE_ROWS || size >= PAGE_BYTES;
  return { blocks, last: isFull ? keyOfCid(last!) : undefined };
};

/**
 * Reads the next blocks in the order of their keys, until they have {@link PAGE_BYTES}.
 * @param repo The number of the repository, in decimal. It is part of the text, because `COPY` has no parameters.
 */
const readPage = async (
  copyOut: CopyOut,
  { blocks }: TableNames,
  repo: string,
  after: Uint8Array | undefined,
): Promise<Page> => {
  const copied = new CopiedBytes();
  const isNext = after === undefined ? '' : `and key > '\\x${bytesToHex(after)}'::bytea`;
  try {
    await copyOut(
      `copy (
        select key, bytes from (
          select key, bytes, sum(octet_length(bytes)) over (order by key rows unbounded preceding) as total
          from (
            select key, bytes from ${blocks} where repo = ${BigInt(repo)} ${isNext} order by key limit ${PAGE_ROWS}
          ) as page
        ) as summed
        where total - octet_length(bytes) < ${PAGE_BYTES} order by key
      ) to stdout (format binary)`,
      (chunk) => copied.add(chunk),
    );
  } catch (error) {
    throw toSqlError(error, 'reading the blocks of a repository');
  }
  return pageOf(copied.bytes);
};

async function* pagesFrom(
  first: Page,
  read: (after: Uint8Array) => Promise<Page>,
): AsyncGenerator<PackedBlocks, void, undefined> {
  let page = first;
  for (;;) {
    const next = page.last && read(page.last);
    // The reader may stop before it needs the next page.
    next?.catch(() => undefined);
    yield page.blocks;
    if (next === undefined) {
      return;
    }
    page = await next;
  }
}

/**
 * Returns all blocks in the order of their CIDs' texts. A block that is added meanwhile may be included. No connection
 * is held between two pages.
 * @param isWanted Called if the first page is not the only one. If it resolves to `false`, returns `undefined`.
 */
export const scanBlocks = async (
  copyOut: CopyOut,
  names: TableNames,
  repo: string,
  isWanted: () => Promise<boolean>,
): Promise<AsyncIterable<PackedBlocks> | undefined> => {
  const read = (after?: Uint8Array): Promise<Page> => readPage(copyOut, names, repo, after);
  const first = await read();
  return first.last === undefined || (await isWanted()) ? pagesFrom(first, read) : undefined;
};
