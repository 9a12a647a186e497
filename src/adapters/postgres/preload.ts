/** One statement that reads the head, and the blocks and values that the next reads of a repository need. */
import { CacheBudget, CidCache } from '../../core/blocks/cid-cache.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID, CidBytes } from '../../core/data/cid.ts';
import { CID_LENGTH } from '../../core/data/cid.ts';
import { isRepoError } from '../../core/errors.ts';
import { MAIN, READ_BY_WRITES } from '../../core/repo/store-names.ts';
import { childrenQuery, cidOfKey, keyExpression } from './ordered-cid.ts';
import type { ReadAhead } from './repo-tables.ts';
import { cidOfCell, decodeText, encodeText } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import { bytesLiteral } from './sql-literals.ts';
import type { SqlRow } from './sql-client.ts';

/** A repository with at most this many blocks is read as a whole, if they are not larger than {@link SMALL_SIZE}. */
const SMALL_COUNT = 256;
/** In bytes. */
const SMALL_SIZE: number = 1024 * 1024;
/** Larger meta values are read when they are needed. In bytes. */
const META_SIZE: number = 64 * 1024;

/** Bytes that V8 uses for a block and its entry in a cache. */
const BLOCK_OVERHEAD = 250;

/** The link of a commit to its tree in DAG-CBOR, up to the CID: the text `data`, tag 42, bytes that begin with zero. */
const DATA_LINK = '6464617461d82a582500';

export interface PreloadOptions {
  /** A head whose commit and root are not needed. */
  readonly known: CID | undefined;
  /** Whether to read all blocks of a small repository. */
  readonly small: boolean;
  /**
   * Whether to read the commit, the root and its children if the head is not `known`. The server plans these reads for
   * each statement, also if nothing is read: this takes 0.7 ms of its processor, and the rest takes 0.3 ms.
   */
  readonly nodes: boolean;
  /** Whether to read what a write needs: meta values, and the newest rev of the list of commits. */
  readonly forWrite: boolean;
}

/** Returns a statement without parameters. `repo` is the number of the repository, in decimal. */
export const preloadStatement = (
  { blocks, commits, meta, refs }: TableNames,
  repo: string,
  { known, small, nodes, forWrite }: PreloadOptions,
): string => {
  const ofRepo = `repo = '${BigInt(repo)}'::int8`;
  // Each part names the order or the key of an index, and `offset 0` keeps it. The planner would otherwise read all
  // blocks or meta values of a repository that it believes to be small.
  const block = (cid: string): string =>
    `lateral (select key, bytes from ${blocks} where ${ofRepo} and key = ${keyExpression(cid)} offset 0) as block`;
  const main = `select cid from ${refs} where ${ofRepo} and name = ${bytesLiteral(encodeText(MAIN))}`;
  const parts = [
    `select 'head'::text as kind, null::bytea as name, cid as value, null::text as rev from (${main}) as head`,
  ];
  const root = `substring(commit.bytes from position(decode('${DATA_LINK}', 'hex') in commit.bytes) + ${DATA_LINK.length / 2} for ${CID_LENGTH})`;
  if (nodes) {
    parts.push(
      `select 'block', key, bytes, null from commit`,
      `select 'block', key, bytes, null from root`,
      `select 'block', child.key, child.bytes, null from root, lateral ${childrenQuery(blocks, ofRepo, 'root.bytes')} as child`,
    );
  }
  if (small) {
    const least = `(select key, bytes from ${blocks} where ${ofRepo} order by key limit ${SMALL_COUNT + 1}) as least`;
    // `case` decides by the index alone whether a repository has too many blocks.
    parts.push(
      `select 'small', key, bytes, null from ${least} where case
        when (select count(*) from (select from ${blocks} where ${ofRepo} order by key limit ${SMALL_COUNT + 1}) as keys)
          <= ${SMALL_COUNT}
        then (select sum(octet_length(bytes)) from ${least}) <= ${SMALL_SIZE}
        else false end`,
    );
  }
  if (forWrite) {
    parts.push(
      `select 'meta', name, value, null
      from (values ${READ_BY_WRITES.map((name) => `(${bytesLiteral(encodeText(name))})`).join(', ')}) as wanted(name)
      left join lateral (
        select value from ${meta} as entry where ${ofRepo} and entry.name = wanted.name offset 0
      ) as stored on true
      where value is null or octet_length(value) <= ${META_SIZE}`,
      `select 'newest', null, null, (select rev from ${commits} where ${ofRepo} order by rev desc limit 1)`,
    );
  }
  const all = parts.join(' union all ');
  return nodes
    ? `with commit as materialized (
        select block.* from (${main}) as head, ${block('head.cid')}
        ${known === undefined ? '' : `where head.cid <> ${bytesLiteral(known.bytes)}`}
      ), root as materialized (
        select block.* from commit, ${block(root)}
      )
      ${all}`
    : all;
};

/** What {@link preloadStatement} has read. */
export interface Preload {
  readonly head: CID | undefined;
  /** With their CIDs. Hashes are not checked. */
  readonly blocks: readonly (readonly [cid: CidBytes, bytes: Bytes])[];
  /** Whether they are all blocks of a small repository. */
  readonly isSmall: boolean;
  /** The meta values of a write, `undefined` if absent. A larger one is left out. */
  readonly meta: ReadonlyMap<string, string | undefined>;
  /** The newest rev of the list of commits, `''` if it is empty. `undefined` if it was not asked for. */
  readonly newestRev: string | undefined;
}

/** Returns the CID of a key, or `undefined` if the row is not valid. The read that needs the block reports it. */
const cidOfRow = (key: Uint8Array): CidBytes | undefined => {
  try {
    return cidOfKey(key).bytes as CidBytes;
  } catch (error) {
    if (!isRepoError(error, 'Corrupt')) {
      throw error;
    }
    return undefined;
  }
};

/** Reads the rows of {@link preloadStatement}. Ignores rows of another kind. */
export const preloadOf = (rows: readonly SqlRow[]): Preload => {
  let [head, newestRev]: [CID | undefined, string | undefined] = [undefined, undefined];
  let isSmall = false;
  const blocks: [CidBytes, Bytes][] = [];
  const meta = new Map<string, string | undefined>();
  for (const [kind, name, value, rev] of rows) {
    if (kind === 'head') {
      head = cidOfCell(value!, 'refs');
    } else if (kind === 'block' || kind === 'small') {
      isSmall ||= kind === 'small';
      const cid = cidOfRow(name as Uint8Array);
      if (cid !== undefined) {
        blocks.push([cid, value as Bytes]);
      }
    } else if (kind === 'meta') {
      meta.set(decodeText(name!), value == null ? undefined : decodeText(value));
    } else if (kind === 'newest') {
      newestRev = (rev as string | null) ?? '';
    }
  }
  return { head, blocks, isSmall, meta, newestRev };
};

/** Preloaded blocks of one repository. The budget may evict them: then they are read from the database. */
export class PreloadedBlocks implements ReadAhead {
  readonly #cache: CidCache<Bytes>;

  constructor(budget: CacheBudget = new CacheBudget(Number.POSITIVE_INFINITY)) {
    this.#cache = new CidCache(2 * (SMALL_COUNT + 2), budget);
  }

  add(blocks: Iterable<readonly [cid: CidBytes, bytes: Bytes]>): void {
    for (const [cid, bytes] of blocks) {
      this.#cache.set(cid, bytes, bytes.length + BLOCK_OVERHEAD);
    }
  }

  get(cid: CidBytes): Bytes | undefined {
    return this.#cache.get(cid);
  }

  /** Returns a block and removes it. What reads nodes and records has caches of its own. */
  take(cid: CidBytes): Bytes | undefined {
    return this.#cache.take(cid);
  }

  clear(): void {
    this.#cache.clear();
  }
}
