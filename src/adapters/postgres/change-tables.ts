/** The reads and writes of a change, inside its transaction. */
import type { NamedBlock } from '../../core/blocks/block.ts';
import type { CID } from '../../core/data/cid.ts';
import { parseCid } from '../../core/data/cid.ts';
import type { ChangeSource } from '../../core/storage/pending-change.ts';
import type { PendingWrites } from '../../core/storage/pending-reads.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import type { NoticeTarget } from './head-notices.ts';
import { insertBlocks } from './insert-blocks.ts';
import { literalWrites, MAX_LITERALS, noticeExpression, sizeOfWrites } from './literal-writes.ts';
import { packedKeyAt, packKeys, packList } from './packed-list.ts';
import type { Preload } from './preload.ts';
import { PreloadedBlocks } from './preload.ts';
import { encodeText, RepoTables } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import type { SqlParameter, SqlSession } from './sql-client.ts';

const KEYS_AT_ONCE = 5000;

/** A statement of several parts, which apply together in one round trip. Its values are parameters. */
class Statement {
  readonly parameters: SqlParameter[] = [];
  readonly #parts: string[] = [];
  /** The expression that it returns. */
  result = `''::text`;

  /** Adds a value, and returns how it stands in the text. */
  bind(value: SqlParameter): string {
    this.parameters.push(value);
    return `$${this.parameters.length}${typeof value === 'string' ? '::text' : '::bytea'}`;
  }

  add(part: string): void {
    this.#parts.push(`part${this.#parts.length} as (${part})`);
  }

  get text(): string {
    return `with ${this.#parts.join(', ')} select ${this.result}`;
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
  readonly stagedBytes: number = MAX_LITERALS;
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #repo: string;
  readonly #preload: Preload;

  /**
   * @param repo The number of the repository, in decimal.
   * @param preload What was read when the change began. Only this change can write until it ends.
   */
  constructor(session: SqlSession, names: TableNames, repo: string, preload: Preload) {
    const blocks = new PreloadedBlocks();
    blocks.add(preload.blocks);
    super(session, names, repo, blocks);
    this.#session = session;
    this.#names = names;
    this.#repo = repo;
    this.#preload = preload;
  }

  override async ref(name: string): Promise<CID | undefined> {
    return name === MAIN ? this.#preload.head : super.ref(name);
  }

  override async meta(name: string): Promise<string | undefined> {
    const { meta } = this.#preload;
    return meta.has(name) ? meta.get(name) : super.meta(name);
  }

  override async commit(rev: Tid): Promise<CID | undefined> {
    const { newestRev } = this.#preload;
    return newestRev !== undefined && rev > newestRev ? undefined : super.commit(rev);
  }

  add(blocks: readonly NamedBlock[]): Promise<boolean[]> {
    return insertBlocks(this.#session, this.#names, this.#repo, blocks);
  }

  /**
   * Applies the writes that waited. With `notice`, tells other processes of a new head when the change commits. If the
   * writes are few, returns statements without parameters that apply them, to run together with the commit.
   */
  async apply(pending: PendingWrites, notice?: NoticeTarget): Promise<string | undefined> {
    const { removed, staged, refs, meta, commits } = pending;
    await this.#remove([...removed]);
    const names = this.#names;
    if (sizeOfWrites(pending) <= MAX_LITERALS) {
      return literalWrites(names, this.#repo, pending, notice);
    }
    await this.add([...staged.values()]);
    const statement = new Statement();
    this.#set(statement, { table: names.refs, key: 'name', value: 'cid', encode: bytesOf }, refs);
    this.#set(statement, { table: names.meta, key: 'name', value: 'value', encode: encodeText }, meta);
    this.#set(statement, { table: names.commits, key: 'rev', value: 'cid', encode: bytesOf }, commits);
    const head = refs.get(MAIN);
    if (notice !== undefined && head !== undefined) {
      // All parts of a statement see the state before it, so the ref still has the head before.
      statement.result = noticeExpression(names, this.#repo, notice, head);
    }
    await this.#session.query(statement.text, statement.parameters);
    return undefined;
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
    const repo = `'${BigInt(this.#repo)}'::int8`;
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
