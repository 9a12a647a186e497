/** Reads all blocks of a repository by `COPY`, which takes a fifth of the time of rows. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { PackedBlocks } from '../../core/blocks/packed-blocks.ts';
import { CopiedBlocks, ROW_OVERHEAD } from './copied-blocks.ts';
import { keyOfCid } from './ordered-cid.ts';
import type { TableNames } from './schema.ts';
import type { SqlClient } from './sql-client.ts';
import { toSqlError } from './sql-errors.ts';

/** The limits of a page. It is read while the page before it is used, so two are in memory. */
const PAGE_ROWS = 16_384;
const PAGE_BYTES = 4 * 1024 * 1024;

/** Memory for the first page, which may be small, and for others. More is taken if a page needs it. In bytes. */
const FIRST_MEMORY: number = 64 * 1024;
const FULL_MEMORY: number = PAGE_BYTES + PAGE_ROWS * ROW_OVERHEAD;

const READING = 'reading the blocks of a repository';

/** Runs `COPY`, see `SqlClient`. */
export type CopyOut = NonNullable<SqlClient['copyOut']>;

interface Page {
  readonly blocks: PackedBlocks;
  /** The last key, or `undefined` if no block follows. */
  readonly last: Uint8Array | undefined;
}

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
  const copied = new CopiedBlocks(after === undefined ? FIRST_MEMORY : FULL_MEMORY);
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
    throw toSqlError(error, READING);
  }
  const page = copied.end();
  const isFull = page.length === PAGE_ROWS || page.size >= PAGE_BYTES;
  return { blocks: page, last: isFull ? keyOfCid(page.cidAt(page.length - 1)) : undefined };
};

/** Reads all blocks after a key by one `COPY`. Yields them while they come, in parts of about {@link PAGE_BYTES}. */
async function* restAfter(
  copyOut: CopyOut,
  { blocks }: TableNames,
  repo: string,
  after: Uint8Array,
): AsyncGenerator<PackedBlocks, void, undefined> {
  const copied = new CopiedBlocks(FULL_MEMORY);
  const parts: PackedBlocks[] = [];
  let wake = (): void => undefined;
  let isDone = false;
  let fault: unknown;
  const copying = copyOut(
    `copy (
      select key, bytes from ${blocks} where repo = ${BigInt(repo)} and key > '\\x${bytesToHex(after)}'::bytea order by key
    ) to stdout (format binary)`,
    (chunk) => {
      if (fault !== undefined) {
        return;
      }
      copied.add(chunk);
      if (copied.size >= PAGE_BYTES) {
        try {
          parts.push(copied.take(FULL_MEMORY));
        } catch (error) {
          // It would end the process, because the driver calls this.
          fault = error;
        }
        wake();
      }
    },
  ).finally(() => {
    isDone = true;
    wake();
  });
  // The reader may stop before the end.
  copying.catch(() => undefined);
  while (!isDone || parts.length > 0) {
    const part = parts.shift();
    if (part === undefined) {
      await new Promise<void>((resolve) => (wake = resolve));
    } else {
      yield part;
    }
  }
  try {
    await copying;
  } catch (error) {
    throw toSqlError(error, READING);
  }
  if (fault !== undefined) {
    throw fault;
  }
  yield copied.end();
}

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
 * Returns all blocks in the order of their CIDs' texts. A block that is added meanwhile may be included. Without
 * `isWanted`, no connection is held between two pages.
 * @param isWanted For a reader that keeps all blocks in memory. Called if the first page is not the only one. If it
 *   resolves to `false`, returns `undefined`. If `true`, the rest is one `COPY`, which takes half the time of pages.
 */
export const scanBlocks = async (
  copyOut: CopyOut,
  names: TableNames,
  repo: string,
  isWanted?: () => Promise<boolean>,
): Promise<AsyncIterable<PackedBlocks> | undefined> => {
  const read = (after?: Uint8Array): Promise<Page> => readPage(copyOut, names, repo, after);
  const first = await read();
  const { last } = first;
  if (last === undefined || isWanted === undefined) {
    return pagesFrom(first, read);
  }
  return (await isWanted()) ? joined(first.blocks, restAfter(copyOut, names, repo, last)) : undefined;
};

async function* joined(
  first: PackedBlocks,
  rest: AsyncIterable<PackedBlocks>,
): AsyncGenerator<PackedBlocks, void, undefined> {
  yield first;
  yield* rest;
}
