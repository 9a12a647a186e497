/** A damaged index whose pages form a cycle. SQLite returns its rows endlessly, and a list of them must end. */
import { expect, test } from 'vitest';
import type { SqlDatabase, SqlStatement } from '../../src/adapters/sqlite/sql-database.ts';
import { KeyValueTable } from '../../src/adapters/sqlite/key-value-table.ts';

/** A database that returns the same rows for every query, wherever it begins. An unchecked list would never end. */
const circle = (keys: readonly string[]): SqlDatabase => ({
  changes: 0,
  exec: () => undefined,
  prepare: () => {
    let at = -1;
    const statement: SqlStatement = {
      bindBlob: () => undefined,
      bindInt: () => undefined,
      bindText: () => undefined,
      bindUtf8: () => undefined,
      columnType: () => 'blob' as const,
      columnSize: () => 1,
      columnInto: () => undefined,
      step: () => ++at < keys.length,
      columnBlob: () => new TextEncoder().encode(keys[at]),
      columnInt: () => 1,
      columnText: () => keys[at]!,
      reset: () => void (at = -1),
      finalize: () => undefined,
    };
    return statement;
  },
});

test.each([
  ['from the first to the last', ['a', 'b', 'c'], {}],
  ['from the last to the first', ['c', 'b', 'a'], { reverse: true }],
  ['after a key', ['b', 'c'], { after: 'a' }],
  ['with a prefix', ['a', 'ab'], { prefix: 'a' }],
])('a list of keys %s ends with an error', (_, keys, range) => {
  const table = new KeyValueTable(circle(keys), 'blocks');
  const seen: string[] = [];
  const list = (): void => {
    for (const key of table.keys(range)) {
      seen.push(key);
    }
  };
  expect(list).toThrow(expect.objectContaining({ code: 'Corrupt', message: expect.stringMatching(/not in order/) }));
  expect(seen).toEqual(keys);
});
