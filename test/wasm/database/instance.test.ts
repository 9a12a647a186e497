/** Other builds of sql.js, and traps of WebAssembly, simulated by a C interface. */
import { describe, expect, test } from 'vitest';
import { isRepoError } from '../../../src/core/errors.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { cApiOf } from '../../../src/wasm/c-api/c-api.ts';
import type { CApi } from '../../../src/wasm/c-api/c-api.ts';
import { Connection } from '../../../src/wasm/database/connection.ts';
import { Heap } from '../../../src/wasm/c-api/heap.ts';
import { Instance } from '../../../src/wasm/database/instance.ts';
import { Statement } from '../../../src/wasm/database/statement.ts';
import { Vfs } from '../../../src/wasm/vfs/vfs.ts';

const PAGES_OF_TWO_MEGABYTES = 32;
const MALLOC_FROM = 1 << 20;

interface Played {
  readonly api: CApi;
  readonly heap: Heap;
  readonly table: WebAssembly.Table;
  /** Names of the C functions that were called. */
  readonly called: string[];
}

const play = (functions: Partial<Record<keyof CApi, (...args: any[]) => number>>): Played => {
  const memory = new WebAssembly.Memory({ initial: PAGES_OF_TWO_MEGABYTES });
  const called: string[] = [];
  let next = MALLOC_FROM;
  const all: Record<string, (...args: any[]) => number> = {
    malloc: (size: number) => (next += 8 * Math.ceil((size + 8) / 8)) - 8 * Math.ceil((size + 8) / 8),
    ...functions,
  };
  const api = new Proxy(
    {},
    {
      get:
        (_target, name: string) =>
        (...args: unknown[]) => {
          called.push(name);
          return all[name]?.(...args) ?? 0;
        },
    },
  ) as CApi;
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 200 });
  return { api, heap: new Heap(api, memory), table, called };
};

/** Writes the default VFS as it is in static memory. */
const putVfs = (heap: Heap, at: number, name: string): void => {
  heap.setWord(at, 3);
  heap.setWord(at + 8, 512);
  heap.setWord(at + 16, at + 256);
  heap.bytes.set(new TextEncoder().encode(`${name}\0`), at + 256);
};

describe('another build is rejected', () => {
  test('that lacks a function', () => {
    expect(() => cApiOf({ _malloc: () => 0 })).toThrow(/not the sql.js that pdsdb needs.*; missing=free/);
  });

  test.each([
    [0, ['unix-none']],
    [2, ['unix', 'unix']],
  ])('with %i default file layers', (count, names) => {
    const { heap, table } = play({});
    names.forEach((name, i) => putVfs(heap, 4096 * (i + 1), name));
    expect(() => new Vfs(heap, table)).toThrow(`vfs=${count}`);
  });

  test('the expected build is accepted', () => {
    const { heap, table } = play({});
    putVfs(heap, 4096, 'unix-none');
    putVfs(heap, 8192, 'unix');
    new Vfs(heap, table);
    expect(table.get(heap.word(8192 + 24))).toBeTypeOf('function');
    expect(heap.word(4096 + 24)).toBe(0);
  });
});

test('out of memory is StorageFailed', () => {
  const { heap } = play({ malloc: () => 0 });
  expect(() => heap.allocate(10)).toThrow(expect.toSatisfy((error) => isRepoError(error, 'StorageFailed')));
});

test('after a trap no database of the instance calls into WebAssembly again', () => {
  const trap = new WebAssembly.RuntimeError('unreachable');
  const played = play({
    sqlite3_open: (_name: number, cell: number) => (played.heap.setWord(cell, 64), 0),
    sqlite3_prepare_v2: (_db: number, _sql: number, _length: number, cell: number) => (
      played.heap.setWord(cell, 128), played.heap.setWord(cell + 4, 256), 0
    ),
    sqlite3_step: () => {
      throw trap;
    },
  });
  const { api, heap, table, called } = played;
  putVfs(heap, 8192, 'unix');
  const vfs = new Vfs(heap, table);
  const instance = new Instance(api, heap, vfs);
  const one = Connection.open(instance, vfs.mount(new MemoryFiles()));
  const other = Connection.open(instance, vfs.mount(new MemoryFiles()));
  const statement = new Statement(one, 'select 1', () => {});
  const failed = expect.toSatisfy((error: unknown) => isRepoError(error, 'StorageFailed') && error.cause === trap);
  expect(() => statement.step()).toThrow(failed);
  called.length = 0;
  expect(() => statement.step()).toThrow(failed);
  expect(() => other.exec('select 1')).toThrow(failed);
  expect(() => Connection.open(instance, vfs.mount(new MemoryFiles()))).toThrow(failed);
  statement.reset();
  statement.finalize();
  one.close();
  other.close();
  expect(called).toEqual([]);
});
