/**
 * Makes JavaScript functions callable from C. C passes numbers, and bigints for 64-bit integers.
 *
 * Emscripten's `addFunction` compiles a WebAssembly module for each function.
 * One module for all of them takes a fifth of the time.
 */
import type { Pointer } from './c-api.ts';

/** The types of a signature: the result, then the parameters. */
const TYPES: Readonly<Record<string, number>> = { i: 0x7f, j: 0x7e };

export interface CFunction {
  /** The type of the result and of each parameter: `i` for 32 bits, `j` for 64 bits (a bigint). */
  readonly signature: string;
  readonly run: (...args: any[]) => number;
}

const FUNCTION_TYPE = 0x60;
const KIND_FUNCTION = 0;
const SECTIONS = { types: 1, imports: 2, exports: 7 } as const;
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** LEB128 of a number below 2^14. */
const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7]);

const list = (items: readonly (readonly number[])[]): number[] => [...varint(items.length), ...items.flat()];

const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const content = list(items);
  return [id, ...varint(content.length), ...content];
};

const name = (text: string): number[] => list([...text].map((character) => [character.charCodeAt(0)]));

/** Returns a module that imports functions and exports them again. As exports, they have C's types. */
const moduleOf = (signatures: readonly string[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array([
    ...HEADER,
    ...section(
      SECTIONS.types,
      signatures.map(([result, ...parameters]) => [
        FUNCTION_TYPE,
        ...list(parameters.map((type) => [TYPES[type]!])),
        ...list([[TYPES[result!]!]]),
      ]),
    ),
    ...section(
      SECTIONS.imports,
      signatures.map((_, i) => [...name('f'), ...name(String(i)), KIND_FUNCTION, ...varint(i)]),
    ),
    ...section(
      SECTIONS.exports,
      signatures.map((_, i) => [...name(String(i)), KIND_FUNCTION, ...varint(i)]),
    ),
  ]);

/** Adds functions to the table of an instance. Returns C's pointers to them, in order. */
export const addFunctions = (table: WebAssembly.Table, functions: readonly CFunction[]): Pointer[] => {
  const wasm = new WebAssembly.Module(moduleOf(functions.map(({ signature }) => signature)));
  const f = Object.fromEntries(functions.map(({ run }, i) => [i, run]));
  const { exports } = new WebAssembly.Instance(wasm, { f });
  const first = table.grow(functions.length);
  return functions.map((_, i) => {
    table.set(first + i, exports[i]);
    return first + i;
  });
};
