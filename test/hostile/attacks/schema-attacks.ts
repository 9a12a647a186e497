/** Schemas that take time or memory, or run code of the file, if SQLite loads them. */
import type { Attack, AttackClass } from './attack.ts';
import { changedBy, makePosts } from './attack.ts';
import { leaveInLog } from './leave-in-log.ts';
import { manyPaths } from './many-paths.ts';
import { allowed, refused, rewrite, rewriteSql, search, tables } from './rewrite-schema.ts';

const columnsOf = (expression: string): string => `(tbl, idx, stat as (${expression}))`;

/** Statistics with a computed column. The name is set last, because SQLite would compute the column at each insert. */
const statistics = (expression: string, table = 'sqlite_stat1'): readonly string[] => [
  'create table harmless (tbl, idx)',
  `insert into harmless values ('blocks', 'sqlite_autoindex_blocks_1')`,
  ...rewrite('harmless', `CREATE TABLE ${table} ${columnsOf(expression)}`, table),
];

const nested = (count: number): string => `${'('.repeat(count)}1${')'.repeat(count)}`;

const SLOW = search(2_000_000);

/** Statistics in the WAL, as after a kill. */
const statisticsInLog: Attack['make'] = async (folder) => {
  await makePosts(folder);
  await leaveInLog(folder, statistics(SLOW));
};

const pairs = [
  ...Array.from({ length: 100 }, (_, i) => `c${i}`),
  ...Array.from({ length: 2000 }, (_, i) => `unique(c${i % 100},c${(i * 7 + Math.floor(i / 100)) % 100})`),
];

export const schemaAttacks: AttackClass = {
  name: 'SQL of the file',
  attacks: [
    ...refused({
      'statistics whose expression searches 4 MB for 2 MB': changedBy(...statistics(SLOW)),
      'statistics of 800 MB': changedBy(...statistics(search(400_000_000))),
      'statistics in `sqlite_stat4`': changedBy(...statistics(SLOW, 'sqlite_stat4')),
      'statistics in the WAL': statisticsInLog,
      'statistics of a text of 1 GB': changedBy(...statistics(`printf('%.*c', 999999999, 'a')`)),
      'statistics under a name in upper case': changedBy(...statistics(search(2_000_000), 'SQLITE_STAT1')),
      'statistics that are a view': changedBy(
        'create view harmless as select 1 tbl, 2 idx, 3 stat',
        ...rewrite(
          'harmless',
          `CREATE VIEW sqlite_stat1 AS SELECT 1 tbl, 2 idx, ${search(2_000_000)} stat`,
          'sqlite_stat1',
        ),
      ),
      'a table of FTS3 named notes': changedBy('create virtual table notes using fts3(a)'),
      'a trigger on another table': changedBy(
        'create table notes (a)',
        `create trigger t after insert on notes begin select ${search(2_000_000)}; end`,
      ),
      'a virtual table with a name reserved for SQLite': changedBy(
        'create virtual table harmless using fts3(a)',
        ...rewrite('harmless', 'CREATE VIRTUAL TABLE sqlite_f USING fts3(a)', 'sqlite_f'),
      ),
      'a virtual table in the schema row of a plain table': changedBy(
        'create table notes (a)',
        ...rewriteSql('notes', 'create virtual table notes using fts3(a)'),
      ),
      'a generated column in another table': changedBy(`create table notes (a, b not null as (${SLOW}))`),
      'a generated column in our table': changedBy(`alter table refs add column g as (${SLOW})`),
      'a view in place of a table': changedBy(
        'alter table refs rename to r',
        'create view refs as with recursive n(i) as (select 1 union all select i from n) select i as key, i as value from n',
      ),
      'a trigger on each new block': changedBy(`create trigger t after insert on blocks begin select ${SLOW}; end`),
      'a slow expression index on our table': changedBy(
        'create index i on refs (value)',
        ...rewriteSql('i', `create index i on refs (${SLOW})`),
      ),
      'five tables with 3,750 nested parentheses': tables(
        5,
        `printf('create table t%d (a default (%s1%s))', i, replace(hex(zeroblob(3750)), '0', '('), replace(hex(zeroblob(3750)), '0', ')'))`,
      ),
      'a table of 2,000 unique pairs': changedBy(`create table notes (${pairs.join()})`),
      '500^15 paths through the schema': manyPaths,
      'a key in quotes': changedBy(
        'drop table refs',
        'create table refs (key TEXT "PRIMARY KEY", value BLOB NOT NULL)',
      ),
      'a space that is not ASCII': changedBy(
        'drop table refs',
        'create table refs (key TEXT PRIMARY\u00a0KEY, value BLOB NOT NULL)',
      ),
    }),
    ...allowed({
      'a slow CHECK constraint in another table': changedBy(
        'create table notes (a)',
        'insert into notes values (1)',
        ...rewriteSql('notes', `create table notes (a check (${SLOW} = 0))`),
      ),
      'a slow expression index on another table': changedBy(
        'create table notes (a)',
        'create index i on notes (a)',
        'insert into notes values (1)',
        ...rewriteSql('i', `create index i on notes (${SLOW})`),
      ),
      'a view that is never read': changedBy(`create view notes as select ${search(2_000_000)}`),
      'a default with 400 nested parentheses in another table': changedBy(
        `create table notes (a default (${nested(400)}))`,
      ),
    }),
  ],
};
