/** Tables and objects that look like those of a repository. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack, AttackClass } from './attack.ts';
import { changedBy, makePosts } from './attack.ts';
import { allowed, quoted, refused, rewrite, search, WRITABLE } from './rewrite-schema.ts';

const columns = (key: string, value: string): string => `(${key}, ${value})`;
const KEY = 'key TEXT PRIMARY KEY';
const VALUE = 'value BLOB NOT NULL';

/** Replaces the table `refs` by one with other columns. */
const refsOf = (statement: string): Attack['make'] => changedBy(...rewrite('refs', `CREATE TABLE refs ${statement}`));

/** Changes a byte in the header of `pds.db`. */
const withFormat =
  (format: number): Attack['make'] =>
  async (folder) => {
    await makePosts(folder);
    const path = join(folder, 'pds.db');
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(format, 44);
    writeFileSync(path, bytes);
  };

export const tableAttacks: AttackClass = {
  name: 'Tables that look like ours',
  attacks: [
    ...refused({
      'a key column with the quoted type "PRIMARY KEY"': changedBy(
        'drop table refs',
        `create table refs ${columns('key TEXT "PRIMARY KEY"', VALUE)}`,
        `insert into refs values ('main', x'01'), ('main', x'02')`,
      ),
      'a value column with the quoted type "NOT NULL"': changedBy(
        'drop table refs',
        `create table refs ${columns(KEY, 'value BLOB "NOT NULL"')}`,
        `insert into refs values ('main', null)`,
      ),
      'a key column with the type PRIMARY KEY in brackets': refsOf(columns('key TEXT [PRIMARY KEY]', VALUE)),
      'a key column with the type PRIMARY KEY in backticks': refsOf(columns('key TEXT `PRIMARY KEY`', VALUE)),
      'U+00A0 in place of a space': refsOf(columns('key TEXT\u00a0PRIMARY\u00a0KEY', VALUE)),
      'U+2003 in place of a space': refsOf(columns(KEY, 'value BLOB NOT\u2003NULL')),
      'U+212A in place of a k': refsOf(columns('\u212aey TEXT PRIMARY KEY', VALUE)),
      'U+017F in place of an s': changedBy(...rewrite('refs', `CREATE TABLE ref\u017f ${columns(KEY, VALUE)}`)),
      'the schema format 9': withFormat(9),
      'the schema format 4,294,967,295': withFormat(0xffff_ffff),
      'a partial index on our table': changedBy(`create index i on refs (key) where key = 'main'`),
      'a unique index on our table': changedBy('create unique index i on refs (value)'),
      'a collated index on our table': changedBy('create index i on refs (key collate nocase)'),
      'an expression index on our table': changedBy(
        'create index i on blocks (value)',
        WRITABLE,
        `update sqlite_schema set sql = ${quoted(`CREATE INDEX i ON blocks (${search(2_000_000)})`)} where name = 'i'`,
      ),
      'a collated key': refsOf(columns('key TEXT PRIMARY KEY COLLATE NOCASE', VALUE)),
      'a table WITHOUT ROWID': refsOf(`${columns(KEY, VALUE)} WITHOUT ROWID`),
    }),
    ...allowed({
      "a user's own table": changedBy('create table notes (id integer primary key, text unique)'),
      "a user's own index, partial and unique": changedBy(
        'create table notes (text)',
        `create unique index i on notes (text) where text <> ''`,
      ),
      "a user's own table of a million rows": changedBy(
        'create table notes (text)',
        `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000) insert into notes select i from n`,
      ),
    }),
  ],
};
