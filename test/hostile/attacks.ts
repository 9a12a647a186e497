/** Files that waste time or memory, or run code, when they are opened or restored. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openRepo, saveBackup } from '../../src/node.ts';
import type { Make } from './attack-database.ts';
import { inLog, manyWays, renamed, sql } from './attack-database.ts';

export interface Attack {
  readonly name: string;
  /** Changes a sound repository in a folder. */
  readonly make: Make;
  /** How the attack uses the folder: it opens and verifies it, repairs it, or restores it as a backup. */
  readonly use: 'repair' | 'restore' | 'verify';
  /** The code of the refusal. Without a refusal: `sound`, `damaged` or `whole`. */
  readonly end: 'Corrupt' | 'Malformed' | 'damaged' | 'sound' | 'whole';
  /**
   * The limit in milliseconds of processor time, if one second is not enough: checking a file of 500 MB takes longer.
   */
  readonly ms?: number;
}

/** Searches a text of `2 * letters` letters for one of `letters` letters. The time is quadratic. */
const search = (letters: number): string =>
  `instr(printf('%.*c', ${2 * letters}, 'a'), printf('%.*c', ${letters}, 'a') || 'b')`;

const SLOW = search(2_000_000);
const quoted = (text: string): string => text.replaceAll("'", "''");

/** Replaces the statement of another table's object in the schema. */
const rewritten = (name: string, statement: string): readonly string[] => [
  'pragma writable_schema=on',
  `update sqlite_schema set sql = '${quoted(statement)}' where name = '${name}'`,
];

/**
 * Statistics that SQLite loads with the schema. They are inserted before the column is added, because an insert would
 * compute the column.
 */
const statistics = (table: string, letters: number, run = sql): Make => {
  const harmless = table.replace('sqlite', 'sqlitf');
  return renamed(
    run(
      `create table ${harmless} (tbl, idx)`,
      `insert into ${harmless} values ('blocks', 'sqlite_autoindex_blocks_1')`,
      ...rewritten(harmless, `create table ${harmless} (tbl, idx, stat as (${search(letters)}))`),
    ),
    harmless,
    table,
  );
};

const many = (count: number, statement: string): Make =>
  sql(
    'pragma writable_schema=on',
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
     insert into sqlite_schema select 'table', 't' || i, 't' || i, 2, ${statement} from n`,
  );

const pairs = [
  ...Array.from({ length: 100 }, (_, i) => `c${i}`),
  ...Array.from({ length: 2000 }, (_, i) => `unique(c${i % 100},c${(i * 7 + Math.floor(i / 100)) % 100})`),
];

const schema: readonly Omit<Attack, 'use'>[] = [
  {
    name: 'statistics whose expression searches 4 MB for 2 MB',
    make: statistics('sqlite_stat1', 2_000_000),
    end: 'Corrupt',
  },
  { name: 'statistics of 800 MB', make: statistics('sqlite_stat1', 400_000_000), end: 'Corrupt' },
  { name: 'statistics in `sqlite_stat4`', make: statistics('sqlite_stat4', 2_000_000), end: 'Corrupt' },
  { name: 'statistics in the WAL', make: statistics('sqlite_stat1', 2_000_000, inLog), end: 'Corrupt' },
  {
    name: 'a virtual table with a name reserved for SQLite',
    make: renamed(sql('create virtual table sqlitf_f using fts3(a)'), 'sqlitf_f', 'sqlite_f'),
    end: 'Corrupt',
  },
  {
    name: 'a virtual table in the schema row of a plain table',
    make: sql('create table notes (a)', ...rewritten('notes', 'create virtual table notes using fts3(a)')),
    end: 'Corrupt',
  },
  {
    name: 'a generated column in another table',
    make: sql(`create table notes (a, b not null as (${SLOW}))`),
    end: 'Corrupt',
  },
  { name: 'a generated column in our table', make: sql(`alter table refs add column g as (${SLOW})`), end: 'Corrupt' },
  {
    name: 'a view in place of a table',
    make: sql(
      'alter table refs rename to r',
      'create view refs as with recursive n(i) as (select 1 union all select i from n) select i as key, i as value from n',
    ),
    end: 'Corrupt',
  },
  {
    name: 'a trigger on each new block',
    make: sql(`create trigger t after insert on blocks begin select ${SLOW}; end`),
    end: 'Corrupt',
  },
  {
    name: 'a slow CHECK constraint in another table',
    make: sql(
      'create table notes (a)',
      'insert into notes values (1)',
      ...rewritten('notes', `create table notes (a check (${SLOW} = 0))`),
    ),
    end: 'sound',
  },
  {
    name: 'a slow expression index on another table',
    make: sql(
      'create table notes (a)',
      'create index i on notes (a)',
      'insert into notes values (1)',
      ...rewritten('i', `create index i on notes (${SLOW})`),
    ),
    end: 'sound',
  },
  {
    name: 'a slow expression index on our table',
    make: sql('create index i on refs (value)', ...rewritten('i', `create index i on refs (${SLOW})`)),
    end: 'Corrupt',
  },
  { name: '300,000 tables', make: many(300_000, `'create table t' || i || '(a)'`), end: 'Corrupt' },
  { name: 'a table of 100 MB', make: many(1, `printf('create table t1 (%.*c)', 100000000, 'a')`), end: 'Corrupt' },
  {
    name: 'five tables with 3,750 nested parentheses',
    make: many(
      5,
      `printf('create table t%d (a default (%s1%s))', i, replace(hex(zeroblob(3750)), '0', '('), replace(hex(zeroblob(3750)), '0', ')'))`,
    ),
    end: 'Corrupt',
  },
  { name: 'a table of 2,000 unique pairs', make: sql(`create table notes (${pairs.join()})`), end: 'Corrupt' },
  { name: '500^15 paths through the schema', make: manyWays, end: 'Corrupt' },
  {
    name: 'a key in quotes',
    make: sql('drop table refs', 'create table refs (key TEXT "PRIMARY KEY", value BLOB NOT NULL)'),
    end: 'Corrupt',
  },
  {
    name: 'a space that is not ASCII',
    make: sql('drop table refs', 'create table refs (key TEXT PRIMARY\u00a0KEY, value BLOB NOT NULL)'),
    end: 'Corrupt',
  },
];

const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const numbers = (count: number): string =>
  `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`;

const rows: readonly Attack[] = [
  {
    name: 'a block of 500 MB',
    make: sql(`insert into blocks values ('${CID}', zeroblob(500000000))`),
    use: 'verify',
    end: 'damaged',
    ms: 10_000,
  },
  {
    name: 'a ref of 100 MB',
    make: sql(`insert into refs values ('x', zeroblob(100000000))`),
    use: 'verify',
    end: 'damaged',
    ms: 4000,
  },
  {
    name: '300,000 invalid rows of blocks',
    make: sql(`insert into blocks ${numbers(300_000)} select 'no CID ' || i, x'00' from n`),
    use: 'verify',
    end: 'damaged',
    ms: 10_000,
  },
  {
    name: '300,000 invalid rows of blocks, and a repair',
    make: sql(`insert into blocks ${numbers(300_000)} select 'no CID ' || i, x'00' from n`),
    use: 'repair',
    end: 'whole',
    ms: 30_000,
  },
];

/** A backup of the repository with 60 MB of filling in its manifest. */
const manifest =
  (start: string, filling: string): Make =>
  async (folder) => {
    const repo = await openRepo(folder);
    await saveBackup(repo, join(folder, 'backup'));
    await repo.close();
    const file = openSync(join(folder, 'backup', 'manifest.json'), 'w');
    writeSync(file, start);
    for (let size = 0; size < 60_000_000; size += filling.length * 10_000) {
      writeSync(file, filling.repeat(10_000));
    }
    closeSync(file);
  };

const BEFORE = '{"version":1,"did":"did:web:alice.example.com",';

const manifests: readonly Attack[] = [
  { name: '60 MB of numbers in an unknown field', make: manifest(`${BEFORE}"other":[`, '1,') },
  { name: '60 MB of maps in an unknown field', make: manifest(`${BEFORE}"other":`, '{"":') },
  { name: '60 MB of text in a known field', make: manifest(`${BEFORE}"created":"`, 'x') },
  { name: '60 MB of spaces', make: manifest(BEFORE, ' ') },
].map((one) => ({ ...one, use: 'restore', end: 'Malformed' }));

export interface AttackClass {
  readonly name: string;
  readonly attacks: readonly Attack[];
}

export const attackClasses: readonly AttackClass[] = [
  { name: 'schema', attacks: schema.map((one) => ({ ...one, use: 'verify' as const })) },
  { name: 'rows', attacks: rows },
  { name: 'manifest', attacks: manifests },
];
