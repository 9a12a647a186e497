/** JavaScript functions as functions of C. */
import { expect, test } from 'vitest';
import { addFunctions } from '../../../src/wasm/c-api/c-functions.ts';

const emptyTable = (): WebAssembly.Table => new WebAssembly.Table({ element: 'anyfunc', initial: 3 });

const call = (table: WebAssembly.Table, pointer: number, ...args: (bigint | number)[]): unknown =>
  (table.get(pointer) as (...args: (bigint | number)[]) => unknown)(...args);

test('are called with the arguments of C, and return its integers', () => {
  const table = emptyTable();
  const [sum, wide, none] = addFunctions(table, [
    { signature: 'iii', run: (a: number, b: number) => a + b },
    { signature: 'iij', run: (a: number, b: bigint) => a + Number(b) },
    { signature: 'i', run: () => 7 },
  ]);
  expect([sum, wide, none]).toEqual([3, 4, 5]);
  expect(call(table, sum!, 2, -3)).toBe(-1);
  expect(call(table, sum!, 2 ** 31, 0)).toBe(-(2 ** 31));
  expect(call(table, wide!, 1, 2n ** 40n)).toBe(1);
  expect(call(table, none!)).toBe(7);
  // C's types: another type of argument is refused.
  expect(() => call(table, wide!, 1, 2)).toThrow(TypeError);
});

test('may be many', () => {
  const table = emptyTable();
  const pointers = addFunctions(
    table,
    Array.from({ length: 300 }, (_, n) => ({ signature: 'iiiiij', run: () => n })),
  );
  expect(pointers.map((pointer) => call(table, pointer, 0, 0, 0, 0, 0n))).toEqual([...Array(300).keys()]);
});

test('throw their errors through C', () => {
  const table = emptyTable();
  const [fails] = addFunctions(table, [
    {
      signature: 'i',
      run: () => {
        throw new Error('of the function');
      },
    },
  ]);
  expect(() => call(table, fails!)).toThrow('of the function');
});
