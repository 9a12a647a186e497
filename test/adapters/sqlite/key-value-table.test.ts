import { describe, expect, test } from 'vitest';
import { KeyValueTable } from '../../../src/adapters/sqlite/key-value-table.ts';
import type { KeyRange } from '../../../src/adapters/sqlite/key-range.ts';
import { compareBytes } from '../../../src/core/data/bytes.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { seeded } from '../../random/seeded.ts';
import { openDatabase } from './open-database.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Returns a table with these keys. The value of a key is the key. */
const tableOf = async (keys: readonly string[] = []): Promise<{ database: Database; table: KeyValueTable }> => {
  const database = await openDatabase();
  const table = new KeyValueTable(database, 'things');
  table.create();
  database.transaction(() => {
    for (const key of keys) {
      table.put(key, bytes(key));
    }
  });
  return { database, table };
};

describe('values', () => {
  test('put, get, add, delete, has and count', async () => {
    const { table } = await tableOf();
    expect(table.get('a')).toBeUndefined();
    expect(table.has('a')).toBe(false);
    table.put('a', bytes('first'));
    expect(table.get('a')).toEqual(bytes('first'));
    table.put('a', bytes('second'));
    expect(table.get('a')).toEqual(bytes('second'));
    expect(table.add('a', bytes('third'))).toBe(false);
    expect(table.get('a')).toEqual(bytes('second'));
    expect(table.add('b', bytes('b'))).toBe(true);
    expect(table.getMany(['b', 'x', 'a', 'b'])).toEqual([bytes('b'), undefined, bytes('second'), bytes('b')]);
    expect(table.has('b')).toBe(true);
    expect(table.count()).toBe(2);
    expect(table.delete('a')).toBe(true);
    expect(table.delete('a')).toBe(false);
    expect(table.get('a')).toBeUndefined();
    expect(table.count()).toBe(1);
  });

  test('put of an existing key keeps the row', async () => {
    const { database, table } = await tableOf(['a', 'b']);
    table.put('a', bytes('again'));
    const statement = database.prepare(`select rowid from things where key = 'a'`);
    statement.step();
    expect(statement.columnInt(0)).toBe(1);
  });

  test("may be empty, and are the caller's own", async () => {
    const { table } = await tableOf();
    const given = bytes('given');
    table.put('given', given);
    table.put('empty', new Uint8Array(0));
    given.fill(0);
    const first = table.get('given')!;
    expect(first).toEqual(bytes('given'));
    first.fill(0);
    expect(table.get('given')).toEqual(bytes('given'));
    expect(table.get('empty')).toEqual(new Uint8Array(0));
    expect([...table.iterate({ limit: 1 })]).toEqual([['empty', new Uint8Array(0)]]);
  });

  test('keys are any text, also with a NUL, quotes and a byte order mark', async () => {
    const keys = ['', '\0', 'a\0b', 'a', `'`, `"; drop table things`, '\ufeff', '\ufeffa', '\ufffd', '\u{1f980}'];
    const { table } = await tableOf(keys);
    for (const key of keys) {
      expect(table.get(key)).toEqual(bytes(key));
    }
    expect(new Set(table.keys())).toEqual(new Set(keys));
  });

  test('a lone surrogate is not a valid key', async () => {
    const { table } = await tableOf();
    expect(() => table.put('a\ud83e', bytes(''))).toThrow(TypeError);
    expect(() => table.add('\udd80', bytes(''))).toThrow(TypeError);
    expect(table.count()).toBe(0);
  });
});

describe('ranges', () => {
  const inOrder = (keys: readonly string[]): string[] => [...keys].sort((a, b) => compareBytes(bytes(a), bytes(b)));
  const keysOf = (table: KeyValueTable, range?: KeyRange): string[] => [...table.keys(range)];

  test('are in byte order, with the values', async () => {
    const keys = ['b', 'a', 'B', '\u00e9', 'ab', '', '\uffff', '\u{1f980}'];
    const { table } = await tableOf(keys);
    expect(keysOf(table)).toEqual(['', 'B', 'a', 'ab', 'b', '\u00e9', '\uffff', '\u{1f980}']);
    expect([...table.iterate()]).toEqual(inOrder(keys).map((key) => [key, bytes(key)]));
    expect(keysOf(table, { reverse: true })).toEqual(inOrder(keys).reverse());
  });

  test('a prefix selects exactly the keys that begin with it', async () => {
    const { table } = await tableOf([
      'app',
      'app.',
      'app.a',
      'app.\uffff',
      'app.\u{10ffff}',
      'app.\u{10ffff}x',
      'app/',
      'aq',
      'b',
    ]);
    expect(keysOf(table, { prefix: 'app.' })).toEqual([
      'app.',
      'app.a',
      'app.\uffff',
      'app.\u{10ffff}',
      'app.\u{10ffff}x',
    ]);
    expect(keysOf(table, { prefix: 'app.\u{10ffff}' })).toEqual(['app.\u{10ffff}', 'app.\u{10ffff}x']);
    expect(keysOf(table, { prefix: 'app.', after: 'app.a', reverse: true, limit: 2 })).toEqual([
      'app.\u{10ffff}x',
      'app.\u{10ffff}',
    ]);
    expect(keysOf(table, { prefix: 'app.', after: 'a', before: 'app.b' })).toEqual(['app.', 'app.a']);
    expect(keysOf(table, { prefix: 'app.', after: 'app/' })).toEqual([]);
    expect(keysOf(table, { prefix: '\u{10ffff}' })).toEqual([]);
    expect(keysOf(table, { prefix: 'ap', before: 'z' })).toHaveLength(7);
  });

  for (const seed of [1, 2, 3]) {
    test(`agree with a sorted list; seed=${seed}`, async () => {
      const random = seeded(seed);
      const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
      const alphabet = ['a', 'b', '.', '\u007f', '\u0080', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'];
      const text = (): string => Array.from({ length: Math.floor(random() * 5) }, () => pick(alphabet)).join('');
      const keys = [...new Set(Array.from({ length: 1_500 }, text))];
      const { table } = await tableOf(keys);
      const sorted = inOrder(keys);
      for (let n = 0; n < 150; n++) {
        const maybe = <T>(make: () => T): T | undefined => (random() < 0.5 ? make() : undefined);
        const range = {
          after: maybe(text),
          before: maybe(text),
          prefix: maybe(text),
          reverse: random() < 0.5,
          limit: maybe(() => Math.floor(random() * 600)),
        };
        const { after, before, prefix = '', reverse, limit } = range;
        const expected = sorted.filter(
          (key) =>
            key.startsWith(prefix) &&
            (after === undefined || compareBytes(bytes(key), bytes(after)) > 0) &&
            (before === undefined || compareBytes(bytes(key), bytes(before)) < 0),
        );
        const listed = (reverse ? expected.reverse() : expected).slice(0, limit);
        expect(keysOf(table, range), JSON.stringify(range)).toEqual(listed);
      }
    });
  }

  test('continue while the table changes', async () => {
    const number = (n: number): string => String(n).padStart(5, '0');
    const { table } = await tableOf(Array.from({ length: 2_000 }, (_, n) => number(n * 2)));
    const seen: string[] = [];
    for (const [key] of table.iterate()) {
      seen.push(key);
      const at = Number(key);
      if (at % 500 === 0) {
        table.delete(key);
        table.delete(number(at + 1_000));
        table.put(number(at + 1_001), bytes('new'));
      }
    }
    expect(new Set(seen).size).toBe(seen.length);
    const evens = Array.from({ length: 2_000 }, (_, n) => n * 2)
      .filter((n) => n % 500 !== 0)
      .map(number);
    expect(evens.filter((key) => !seen.includes(key))).toEqual([]);
    expect(seen).toContain(number(1_001));
    expect(seen).not.toContain(number(1_000));
  });

  test('read large values in small pages', async () => {
    const { database, table } = await tableOf();
    for (let n = 0; n < 12; n++) {
      table.put(`key ${n + 10}`, new Uint8Array(600_000).fill(n));
    }
    let steps = 0;
    const counting = new KeyValueTable(
      {
        changes: 0,
        exec: (sql) => database.exec(sql),
        prepare: (sql) => {
          const statement = database.prepare(sql);
          const step = statement.step.bind(statement);
          statement.step = () => {
            steps += 1;
            return step();
          };
          return statement;
        },
      },
      'things',
    );
    const rows = counting.iterate();
    rows.next();
    expect(steps).toBe(2);
    expect([...rows].map(([, value]) => value[0])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('transactions', () => {
  test("are the database's", async () => {
    const { database, table } = await tableOf(['a']);
    const other = new KeyValueTable(database, 'others');
    other.create();
    const failing = (): void =>
      database.transaction(() => {
        table.delete('a');
        other.put('b', bytes('b'));
        expect(other.has('b')).toBe(true);
        throw new Error('half way');
      });
    expect(failing).toThrow('half way');
    expect(table.has('a')).toBe(true);
    expect(other.count()).toBe(0);
  });
});

describe('names', () => {
  test('are checked before they reach SQL', async () => {
    const database = await openDatabase();
    for (const name of ['', 'A', '1a', 'a b', 'a;', 'a"', 'main.a', 'sqlite_schema', 'é', 'a'.repeat(64)]) {
      expect(() => new KeyValueTable(database, name), name).toThrow(TypeError);
    }
    for (const name of ['a', 'kv_blocks', 'a1_', 'a'.repeat(63)]) {
      const table = new KeyValueTable(database, name);
      table.create();
      table.create();
      expect(table.count()).toBe(0);
    }
  });

  test('create a plain table', async () => {
    const { database } = await tableOf();
    const statement = database.prepare("select sql from sqlite_schema where type = 'table'");
    statement.step();
    expect(statement.columnText(0)).toBe('CREATE TABLE things (key TEXT PRIMARY KEY, value BLOB NOT NULL)');
  });
});

describe('rows with values that are not blobs', () => {
  const wrong = [`'a text'`, '1', '1.5'];

  test.each(wrong)('a value %s is Corrupt, and the message names the table and the key', async (value) => {
    const { database, table } = await tableOf(['good']);
    database.exec(`insert into things values ('bad', ${value})`);
    const refusal = expect.objectContaining({
      code: 'Corrupt',
      message: expect.stringMatching(/table=things key=bad/),
    });
    expect(() => table.get('bad')).toThrow(refusal);
    expect(() => table.getMany(['good', 'bad'])).toThrow(refusal);
    expect(() => [...table.iterate()]).toThrow(refusal);
    // No statement stays open.
    expect(table.get('good')).toEqual(bytes('good'));
    expect([...table.keys()]).toEqual(['bad', 'good']);
  });

  test('with allowText, a text is its UTF-8 bytes, and a number is Corrupt', async () => {
    const { database } = await tableOf();
    const table = new KeyValueTable(database, 'things', { allowText: true });
    database.exec(`insert into things values ('text', 'größe'), ('number', 7)`);
    expect(table.get('text')).toEqual(bytes('größe'));
    expect(() => table.get('number')).toThrow(expect.objectContaining({ code: 'Corrupt' }));
  });

  test.each(['null', `x'6162'`])('a key %s is Corrupt when it is listed', async (key) => {
    const { database, table } = await tableOf(['good']);
    database.exec(`insert into things values (${key}, x'00')`);
    expect(() => [...table.keys()]).toThrow(
      expect.objectContaining({ code: 'Corrupt', message: expect.stringMatching(/table=things/) }),
    );
    expect(table.get('good')).toEqual(bytes('good'));
  });

  test('keys that are not UTF-8 are Corrupt, and a list of them ends', async () => {
    const { database, table } = await tableOf();
    for (let n = 0; n < 600; n++) {
      database.exec(`insert into things values (cast(x'ff${n.toString(16).padStart(4, '0')}' as text), x'00')`);
    }
    expect(() => [...table.keys()]).toThrow(expect.objectContaining({ code: 'Corrupt' }));
  });
});

describe('closing', () => {
  test('finalizes the statements, and later calls are Closed', async () => {
    const { database, table } = await tableOf(Array.from({ length: 600 }, (_, n) => `key ${n}`));
    const rows = table.iterate();
    rows.next();
    expect(database.statementCount).toBeGreaterThan(0);
    table.close();
    table.close();
    expect(database.statementCount).toBe(0);
    const closed = expect.objectContaining({ code: 'Closed' });
    const calls: (() => unknown)[] = [
      () => table.add('a', bytes('a')),
      () => table.count(),
      () => table.create(),
      () => table.delete('a'),
      () => table.get('a'),
      () => table.getMany(['a']),
      () => table.has('a'),
      () => [...table.iterate()],
      () => [...table.keys()],
      () => table.put('a', bytes('a')),
      () => [...rows],
    ];
    for (const call of calls) {
      expect(call, String(call)).toThrow(closed);
    }
    expect(new KeyValueTable(database, 'things').count()).toBe(600);
  });
});
