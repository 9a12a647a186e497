/** Changes of a schema behind the back of SQLite, which parses it at the next opening alone. */
import type { Attack } from './attack.ts';
import { use } from './attack.ts';

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Searches a text of twice as many letters for one of as many: a time that grows with the square of it. */
export const search = (letters: number): string =>
  `instr(printf('%.*c', ${2 * letters}, 'a'), printf('%.*c', ${letters}, 'a') || 'b')`;

export const WRITABLE = 'pragma writable_schema=on';

/** Changes a row of the schema in place, which SQLite does not parse until the next opening. */
export const rewrite = (name: string, statement: string, newName = name): readonly string[] => [
  WRITABLE,
  `update sqlite_schema set name = '${newName}', tbl_name = '${newName}', sql = ${quoted(statement)} where name = '${name}'`,
];

/** Attacks on a folder that opening refuses. */
export const refused = (attacks: Readonly<Record<string, Attack['make']>>): Attack[] =>
  Object.entries(attacks).map(([name, make]) => ({ name, make, run: use, end: 'Corrupt' }));

/** Folders that open, and whose other objects nothing runs. */
export const allowed = (attacks: Readonly<Record<string, Attack['make']>>): Attack[] =>
  Object.entries(attacks).map(([name, make]) => ({ name, make, run: use, end: 'sound' }));
