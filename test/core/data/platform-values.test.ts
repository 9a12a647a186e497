/** Values of other realms, as an iframe, a `node:vm` context or jsdom makes them. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  errorCode,
  errorName,
  isArrayBuffer,
  isBlob,
  isBytes,
  isError,
  isMap,
  isReadableStream,
  isWebAssembly,
} from '../../../src/core/data/platform-values.ts';

const foreign = (code: string): unknown => runInNewContext(code);
const EMPTY_MODULE = 'new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])';

/** Each predicate with the values for which it is true, of this realm and another. */
const CASES: readonly (readonly [(value: unknown) => boolean, readonly unknown[]])[] = [
  [isBytes, [new Uint8Array(1), Buffer.from('a'), foreign('new Uint8Array(1)')]],
  [isArrayBuffer, [new ArrayBuffer(1), foreign('new ArrayBuffer(1)')]],
  [isBlob, [new Blob(['a']), new File(['a'], 'a')]],
  [isReadableStream, [new ReadableStream(), new Blob(['a']).stream()]],
  [isMap, [new Map(), foreign('new Map()')]],
  [
    (value) => isWebAssembly(value, 'Module'),
    [
      new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
      foreign(`new WebAssembly.Module(${EMPTY_MODULE})`),
    ],
  ],
  [(value) => isWebAssembly(value, 'Memory'), [foreign('new WebAssembly.Memory({ initial: 1 })')]],
  [(value) => isWebAssembly(value, 'Table'), [foreign(`new WebAssembly.Table({ initial: 1, element: 'anyfunc' })`)]],
  [isError, [new Error('a'), new DOMException('a', 'AbortError'), foreign('new TypeError("a")')]],
];
const ALL = CASES.flatMap(([, values]) => values);
const OTHERS = [
  undefined,
  null,
  0,
  'Uint8Array',
  {},
  [],
  new Uint16Array(1),
  new DataView(new ArrayBuffer(1)),
  new Set(),
];

describe('values of the platform', () => {
  test('are recognized from every realm, and other values are not', () => {
    for (const [is, values] of CASES) {
      expect([...ALL, ...OTHERS].filter(is)).toEqual(values);
    }
  });

  test('errors of every realm have a name and a code', () => {
    const error = foreign(`Object.assign(new Error('a'), { code: 'ENOENT' })`);
    expect([errorName(error), errorCode(error)]).toEqual(['Error', 'ENOENT']);
    expect([errorName('Error'), errorCode(null), errorCode(new DOMException('a'))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
