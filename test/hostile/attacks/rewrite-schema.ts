/** Changes to the rows of a schema. SQLite parses them only at the next opening. */
import type { Attack } from './attack.ts';
import { changedBy, use } from './attack.ts';

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Searches a text of `2 * letters` letters for one of `letters` letters. The time is quadratic. */
export const search = (letters: number): string =>
  `instr(printf('%.*c', ${2 * letters}, 'a'), printf('%.*c', ${letters}, 'a') || 'b')`;

export const WRITABLE = 'pragma writable_schema=on';

/** Changes a row of the schema in place. SQLite parses it at the next opening. */
export const rewrite = (name: string, statement: string, newName = name): readonly string[] => [
  WRITABLE,
  `update sqlite_schema set name = '${newName}', tbl_name = '${newName}', sql = ${quoted(statement)} where name = '${name}'`,
];

/** Changes the statement of a row of the schema. */
export const rewriteSql = (name: string, statement: string): readonly string[] => [
  WRITABLE,
  `update sqlite_schema set sql = ${quoted(statement)} where name = '${name}'`,
];

/** The numbers from 1 to `count`, as the table `n(i)`. */
export const upTo = (count: number): string =>
  `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`;

/** Tables that only the schema has. */
export const tables = (count: number, statement: string): Attack['make'] =>
  changedBy(
    WRITABLE,
    `${upTo(count)} insert into sqlite_schema select 'table', 't' || i, 't' || i, 2, ${statement} from n`,
  );

/** Attacks on a folder that does not open. */
export const refused = (attacks: Readonly<Record<string, Attack['make']>>): Attack[] =>
  Object.entries(attacks).map(([name, make]) => ({ name, make, run: use, end: 'Corrupt' }));

/** Folders that open, with other objects that SQLite does not run. */
export const allowed = (attacks: Readonly<Record<string, Attack['make']>>): Attack[] =>
  Object.entries(attacks).map(([name, make]) => ({ name, make, run: use, end: 'sound' }));
