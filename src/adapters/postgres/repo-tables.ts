/** The reads of one repository, over a pool or inside a transaction. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID, CidBytes, CidLike } from '../../core/data/cid.ts';
import { bytesOfCid, decodeCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { ReaderSource } from '../../core/storage/checked-reader.ts';
import type { CommitRange } from '../../core/storage/ports.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { childrenQuery, cidOfKey, keyOfCid } from './ordered-cid.ts';
import { packedKeyAt, packKeys } from './packed-list.ts';
import type { TableNames } from './schema.ts';
import type { SqlCell, SqlRow, SqlSession } from './sql-client.ts';

/** Entries per page of a list. No statement stays open between two pages. */
const PAGE_ENTRIES = 1000;

/** Keys per statement of `getMany`. */
const KEYS_AT_ONCE = 2000;

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
// Without `ignoreBOM`, it would drop a byte order mark.
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** Returns a name or a value as it is stored. */
export const encodeText = (text: string): Uint8Array => encoder.encode(text);
export const decodeText = (cell: SqlCell): string => decoder.decode(cell as Uint8Array);

export const cidOfCell = (cell: SqlCell, table: string): CID => {
  try {
    return decodeCid(cell as Uint8Array);
  } catch (cause) {
    throw new RepoError('Corrupt', `a row of the table ${table} has no CID: restore a backup`, { cause });
  }
};

/** The least bytes that are greater than all bytes that begin with `prefix`, or `undefined` if no bytes are. */
const endOfPrefix = (prefix: Uint8Array): Uint8Array | undefined => {
  const end = new Uint8Array(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i]! < 0xff) {
      end[i]! += 1;
      return end.subarray(0, i + 1);
    }
  }
  return undefined;
};

/** Blocks that were read before they were asked for. */
export interface ReadAhead {
  /** Returns a block if it is in memory. */
  get(cid: CidBytes): Bytes | undefined;
  add(blocks: Iterable<readonly [cid: CidBytes, bytes: Bytes]>): void;
}

export class RepoTables implements ReaderSource {
  readonly isDistant = true;
  readonly #session: SqlSession;
  readonly #names: TableNames;
  /** The number of the repository, in decimal. */
  readonly #repo: string;
  readonly #ahead: ReadAhead;

  constructor(session: SqlSession, names: TableNames, repo: string, ahead: ReadAhead) {
    this.#session = session;
    this.#names = names;
    this.#repo = repo;
    this.#ahead = ahead;
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    const known = this.#ahead.get(bytesOfCid(cid));
    if (known !== undefined) {
      return known;
    }
    const [row] = await this.#session.query(
      `select bytes from ${this.#names.blocks} where repo = $1::text::int8 and key = $2::bytea`,
      [this.#repo, keyOfCid(bytesOfCid(cid))],
    );
    return row?.[0] as Bytes | undefined;
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    const found = cids.map((cid) => this.#ahead.get(bytesOfCid(cid)));
    const absent = [...found.keys()].filter((i) => found[i] === undefined);
    for (let start = 0; start < absent.length; start += KEYS_AT_ONCE) {
      const some = absent.slice(start, start + KEYS_AT_ONCE);
      const wanted = some.map((i) => cids[i]!);
      const read = wanted.length === 1 ? [await this.#getNode(wanted[0]!)] : await this.#getSome(wanted);
      some.forEach((i, at) => (found[i] = read[at]));
    }
    return found;
  }

  async ref(name: string): Promise<CID | undefined> {
    const [row] = await this.#session.query(
      `select cid from ${this.#names.refs} where repo = $1::text::int8 and name = $2::bytea`,
      [this.#repo, encodeText(name)],
    );
    return row && cidOfCell(row[0]!, 'refs');
  }

  async *refs(): AsyncGenerator<[name: string, cid: CID]> {
    for await (const [name, cid] of this.#named(this.#names.refs, 'cid', '')) {
      yield [decodeText(name!), cidOfCell(cid!, 'refs')];
    }
  }

  async meta(name: string): Promise<string | undefined> {
    const [row] = await this.#session.query(
      `select value from ${this.#names.meta} where repo = $1::text::int8 and name = $2::bytea`,
      [this.#repo, encodeText(name)],
    );
    return row && decodeText(row[0]!);
  }

  async *metaEntries(prefix = ''): AsyncGenerator<[name: string, value: string]> {
    for await (const [name, value] of this.#named(this.#names.meta, 'value', prefix)) {
      yield [decodeText(name!), decodeText(value!)];
    }
  }

  async commit(rev: Tid): Promise<CID | undefined> {
    const [row] = await this.#session.query(
      `select cid from ${this.#names.commits} where repo = $1::text::int8 and rev = $2::text`,
      [this.#repo, rev],
    );
    return row && cidOfCell(row[0]!, 'commits');
  }

  async *commits({ after, before, reverse = false }: CommitRange = {}): AsyncGenerator<[rev: Tid, cid: CID]> {
    let [low, high]: (string | undefined)[] = [after, before];
    for (;;) {
      const rows = await this.#session.query(
        `select rev, cid from ${this.#names.commits} where repo = $1::text::int8 and rev > $2::text
        ${high === undefined ? '' : 'and rev < $3::text'}
        order by rev ${reverse ? 'desc' : 'asc'} limit ${PAGE_ENTRIES}`,
        [this.#repo, low ?? '', ...(high === undefined ? [] : [high])],
      );
      for (const [rev, cid] of rows) {
        yield [rev as Tid, cidOfCell(cid!, 'commits')];
      }
      const last = rows.at(-1)?.[0] as string | undefined;
      if (last === undefined || rows.length < PAGE_ENTRIES) {
        return;
      }
      [low, high] = reverse ? [low, last] : [last, high];
    }
  }

  async *cids(): AsyncGenerator<CID> {
    let after: Uint8Array = new Uint8Array(0);
    for (;;) {
      const rows = await this.#session.query(
        `select key from ${this.#names.blocks} where repo = $1::text::int8 and key > $2::bytea
        order by key limit ${PAGE_ENTRIES}`,
        [this.#repo, after],
      );
      for (const [key] of rows) {
        yield cidOfKey(key as Uint8Array);
      }
      if (rows.length < PAGE_ENTRIES) {
        return;
      }
      after = rows.at(-1)![0] as Uint8Array;
    }
  }

  /** Returns the number of blocks. */
  async count(): Promise<number> {
    const [row] = await this.#session.query(
      `select count(*)::text from ${this.#names.blocks} where repo = $1::text::int8`,
      [this.#repo],
    );
    return Number(row![0]);
  }

  /** Reads a block that is probably a node of a tree, and its children, because the next read is one of them. */
  async #getNode(cid: CidLike): Promise<Bytes | undefined> {
    const { blocks } = this.#names;
    const rows = await this.#session.query(
      `with node as materialized (
        select key, bytes from ${blocks} where repo = $1::text::int8 and key = $2::bytea
      )
      select null::bytea, bytes from node
      union all select child.key, child.bytes
      from node, lateral ${childrenQuery(blocks, 'repo = $1::text::int8', 'node.bytes')} as child`,
      [this.#repo, keyOfCid(bytesOfCid(cid))],
    );
    const children = rows.filter(([key]) => key !== null);
    this.#ahead.add(children.map(([key, bytes]) => [bytesOfCid(cidOfKey(key as Uint8Array)), bytes as Bytes]));
    return rows.find(([key]) => key === null)?.[1] as Bytes | undefined;
  }

  /** Returns the number of bytes of all blocks. The server reads all of their rows. */
  async blockBytes(): Promise<number> {
    const [row] = await this.#session.query(
      `select coalesce(sum(octet_length(bytes)), 0)::text from ${this.#names.blocks}
      where repo = $1::text::int8`,
      [this.#repo],
    );
    return Number(row![0]);
  }

  /** `offset 0` keeps one index lookup per key. Without it, the planner may read all blocks of the repository. */
  async #getSome(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    const found = new Array<Bytes | undefined>(cids.length);
    const rows = await this.#session.query(
      `select o.n::text, b.bytes from generate_series(0, $3::text::int4 - 1) as o(n) cross join lateral (
        select bytes from ${this.#names.blocks}
        where repo = $1::text::int8 and key = ${packedKeyAt('$2::bytea', 'o.n')}
        offset 0
      ) as b`,
      [this.#repo, packKeys(cids), String(cids.length)],
    );
    for (const [n, bytes] of rows) {
      found[Number(n)] = bytes as Bytes;
    }
    return found;
  }

  /** Lists the rows of a table with names that begin with `prefix`, a page at a time. */
  async *#named(table: string, column: string, prefix: string): AsyncGenerator<SqlRow> {
    const start = encodeText(prefix);
    const end = endOfPrefix(start);
    let [after, isFirst]: [Uint8Array, boolean] = [start, true];
    for (;;) {
      const rows = await this.#session.query(
        `select name, ${column} from ${table} where repo = $1::text::int8 and name ${isFirst ? '>=' : '>'} $2::bytea
        ${end === undefined ? '' : 'and name < $3::bytea'} order by name limit ${PAGE_ENTRIES}`,
        [this.#repo, after, ...(end === undefined ? [] : [end])],
      );
      yield* rows;
      if (rows.length < PAGE_ENTRIES) {
        return;
      }
      [after, isFirst] = [rows.at(-1)![0] as Uint8Array, false];
    }
  }
}
