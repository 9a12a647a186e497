/** Schemas that take time or memory, or run code of the file, if SQLite loads them. */
import type { AttackClass } from './attack.ts';
import { changedBy } from './attack.ts';
import { allowed, refused, rewrite, search } from './rewrite-schema.ts';

const columnsOf = (expression: string): string => `(tbl, idx, stat as (${expression}))`;

/** Statistics with a computed column. The name is set last, because SQLite would compute the column at each insert. */
const statistics = (expression: string, table = 'sqlite_stat1'): readonly string[] => [
  'create table harmless (tbl, idx)',
  `insert into harmless values ('blocks', 'sqlite_autoindex_blocks_1')`,
  ...rewrite('harmless', `CREATE TABLE ${table} ${columnsOf(expression)}`, table),
];

const nested = (count: number): string => `${'('.repeat(count)}1${')'.repeat(count)}`;

export const schemaAttacks: AttackClass = {
  name: 'SQL of the file',
  attacks: [
    ...refused({
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
    }),
    ...allowed({
      'a view that is never read': changedBy(`create view notes as select ${search(2_000_000)}`),
      'a default with 400 nested parentheses in another table': changedBy(
        `create table notes (a default (${nested(400)}))`,
      ),
    }),
  ],
};
