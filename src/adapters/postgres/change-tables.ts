/** The reads and writes of a change, inside its transaction. */
import type { NamedBlock } from '../../core/blocks/block.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidToText, parseCid } from '../../core/data/cid.ts';
import type { ChangeSource } from '../../core/storage/pending-change.ts';
import type { PendingWrites } from '../../core/storage/pending-reads.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import type { NoticeTarget } from './head-notices.ts';
import { cidOfKey } from './ordered-cid.ts';
import { chunksOfList, packedKeyAt, packKeys, packList } from './packed-list.ts';
import { encodeText, RepoTables } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import type { SqlParameter, SqlSession } from './sql-client.ts';

/** Most blocks of one statement. Their bytes are in memory twice here, and once in the server. */
const BLOCKS_AT_ONCE = { count: 10_000, bytes: 8 * 1024 * 1024 };
const KEYS_AT_ONCE = 5000;

/** A statement of several parts, which apply together in one round trip. */
class Statement {
  readonly parameters: SqlParameter[] = [];
  readonly #parts: string[] = [];
  /** The expression that it returns. */
  result = `''::text`;

  /** Adds a parameter, and returns how it stands in the text. */
  bind(value: SqlParameter): string {
    this.parameters.push(value);
    return `$${this.parameters.length}${typeof value === 'string' ? '::text' : '::bytea'}`;
  }

  add(part: string): void {
    this.#parts.push(`part${this.#parts.length} as (${part})`);
  }

  get text(): string | undefined {
    return this.#parts.length === 0 ? undefined : `with ${this.#parts.join(', ')} select ${this.result}`;
  }
}

/** A table of names and values. */
interface NamedTable<V> {
  readonly table: string;
  readonly key: 'name' | 'rev';
  readonly value: 'cid' | 'value';
  encode(value: V): Uint8Array;
}

const bytesOf = ({ bytes }: CID): Uint8Array => bytes;

export class ChangeTables extends RepoTables implements ChangeSource {
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #repo: string;

  /** @param repo The number of the repository, in decimal. */
  constructor(session: SqlSession, names: TableNames, repo: string) {
    super(session, names, repo);
    this.#session = session;
    this.#names = names;
    this.#repo = repo;
  }

  async add(blocks: readonly NamedBlock[]): Promise<boolean[]> {
    const added: boolean[] = [];
    for (const some of chunksOfList(blocks, BLOCKS_AT_ONCE, ({ bytes }) => bytes.length)) {
      added.push(...(await this.#addSome(some)));
    }
    return added;
  }

  /** Applies the writes that waited. With `notice`, tells other processes of a new head when the change commits. */
  async apply({ removed, refs, meta, commits }: PendingWrites, notice?: NoticeTarget): Promise<void> {
    await this.#remove([...removed]);
    const names = this.#names;
    const statement = new Statement();
    this.#set(statement, { table: names.refs, key: 'name', value: 'cid', encode: bytesOf }, refs);
    this.#set(statement, { table: names.meta, key: 'name', value: 'value', encode: encodeText }, meta);
    this.#set(statement, { table: names.commits, key: 'rev', value: 'cid', encode: bytesOf }, commits);
    const head = refs.get(MAIN);
    if (notice !== undefined && head !== undefined) {
      this.#notify(statement, notice, head);
    }
    if (statement.text !== undefined) {
      await this.#session.query(statement.text, statement.parameters);
    }
  }

  /** All parts of a statement see the state before it, so `refs` still has the head before. */
  #notify(statement: Statement, { channel, sender }: NoticeTarget, head: CID): void {
    const bind = (value: SqlParameter): string => statement.bind(value);
    statement.result = `pg_notify(${bind(channel)}, ${bind(`${sender} ${this.#repo} `)} || coalesce(
      (select encode(cid, 'hex') from ${this.#names.refs} where repo = $1::text::int8 and name = ${bind(encodeText(MAIN))}),
      '-') || ' ' || encode(${bind(head.bytes)}, 'hex'))::text`;
  }

  async #addSome(blocks: readonly NamedBlock[]): Promise<boolean[]> {
    const { bytes, starts, lengths } = packList(blocks.map((block) => block.bytes));
    const rows = await this.#session.query(
      `insert into ${this.#names.blocks} (repo, key, bytes)
      select $1::text::int8,
        ${packedKeyAt('$2::bytea', '(o.n::int4 - 1)')},
        substring($3::bytea from o.start for o.length)
      from unnest($4::text::int4[], $5::text::int4[]) with ordinality as o(start, length, n)
      on conflict (repo, key) do nothing returning key`,
      [this.#repo, packKeys(blocks.map(({ cid }) => cid)), bytes, starts, lengths],
    );
    const isNew = new Set(rows.map(([key]) => cidToText(cidOfKey(key as Uint8Array))));
    // The second of two equal blocks is not new.
    return blocks.map(({ cid }) => isNew.delete(cidToText(cid)));
  }

  async #remove(texts: readonly string[]): Promise<void> {
    for (let start = 0; start < texts.length; start += KEYS_AT_ONCE) {
      const some = texts.slice(start, start + KEYS_AT_ONCE);
      await this.#session.query(
        `delete from ${this.#names.blocks} where repo = $1::text::int8 and key in (
          select ${packedKeyAt('$2::bytea', 'o.n')}
          from generate_series(0, $3::text::int4 - 1) as o(n)
        )`,
        [this.#repo, packKeys(some.map(parseCid)), String(some.length)],
      );
    }
  }

  /** Adds the writes to one table: removals, and new values. */
  #set<V>(statement: Statement, table: NamedTable<V>, writes: ReadonlyMap<string, V | undefined>): void {
    const { key, value, encode } = table;
    const removed = [...writes].filter(([, to]) => to === undefined).map(([name]) => encodeText(name));
    const set = [...writes].filter((entry): entry is [string, V] => entry[1] !== undefined);
    const repo = `${statement.parameters.length === 0 ? statement.bind(this.#repo) : '$1::text'}::int8`;
    /** The items of a list as the columns `o.…start` and `o.…length`, and as an expression. */
    const list = (items: readonly Uint8Array[]): { readonly arrays: string; readonly bytes: string } => {
      const { bytes, starts, lengths } = packList(items);
      return {
        bytes: statement.bind(bytes),
        arrays: `${statement.bind(starts)}::int4[], ${statement.bind(lengths)}::int4[]`,
      };
    };
    const keyOf = (bytes: string): string => (key === 'rev' ? `convert_from(${bytes}, 'UTF8')` : bytes);
    if (removed.length > 0) {
      const { arrays, bytes } = list(removed);
      const item = keyOf(`substring(${bytes} from o.start for o.length)`);
      statement.add(
        `delete from ${table.table} where repo = ${repo} and ${key} in (
          select ${item} from unnest(${arrays}) as o(start, length))`,
      );
    }
    if (set.length > 0) {
      const keys = list(set.map(([name]) => encodeText(name)));
      const values = list(set.map(([, to]) => encode(to)));
      const item = keyOf(`substring(${keys.bytes} from o.start for o.length)`);
      statement.add(
        `insert into ${table.table} (repo, ${key}, ${value})
        select ${repo}, ${item}, substring(${values.bytes} from o.value_start for o.value_length)
        from unnest(${keys.arrays}, ${values.arrays}) as o(start, length, value_start, value_length)
        on conflict (repo, ${key}) do update set ${value} = excluded.${value}`,
      );
    }
  }
}
