/** Trees with a shape that their keys do not allow, or that take long to walk. */
import { concatBytes } from '../../src/core/data/bytes.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import type { CidBytes } from '../../src/core/data/cid.ts';
import { cidOf } from '../../src/core/data/cid.ts';
import { POST } from '../../src/testing/repo/harness.ts';
import {
  NULL,
  byteString,
  entry,
  hex,
  keysOfLayer,
  link,
  list,
  map,
  textString,
  uint,
  writeShape,
} from '../core/mst/raw-node.ts';
import type { Raw, Shape } from '../core/mst/raw-node.ts';
import type { Block } from '../../src/core/blocks/block.ts';
import { blockOfBytes, carOf, repositoryOf } from './build-repository.ts';
import type { HostileCase, HostileClass } from './hostile-case.ts';
import { refusals } from './hostile-case.ts';

const record = blockOfBytes(encodeCbor({ $type: POST, text: 'sound' }));
const VALUE = record.cid.bytes as CidBytes;
const keysAt = (layer: number, letter: string): string[] => keysOfLayer(layer, 3, `com.example.${letter}/`);
const [a0, b0, c0] = ['a', 'b', 'c'].map((letter) => keysAt(0, letter)) as [string[], string[], string[]];
const [a1, b1] = ['a', 'b'].map((letter) => keysAt(1, letter)) as [string[], string[]];
const [a2, b2] = ['a', 'b'].map((letter) => keysAt(2, letter)) as [string[], string[]];

/** Fills the shape with the same record everywhere. */
const fill = (shape: Shape): Shape => ({
  keys: shape.keys,
  values: shape.keys.map(() => VALUE),
  children:
    shape.children?.map((child) => (child === undefined || child instanceof Uint8Array ? child : fill(child))) ?? [],
});

export const carOfTree = async (tree: (onNode: (node: Block) => void) => CidBytes): Promise<Uint8Array> =>
  carOf(await repositoryOf({ records: [['', record]], tree }));

const shaped = (shape: Shape) => (): Promise<Uint8Array> => carOfTree((onNode) => writeShape(fill(shape), onNode));

/** A tree of one hand-written node. */
const node = (bytes: Raw) => (): Promise<Uint8Array> =>
  carOfTree((onNode) => {
    const block = blockOfBytes(bytes);
    onNode(block);
    return block.cid.bytes as CidBytes;
  });

const sound: Shape = { keys: [b1[0]!], children: [{ keys: [a0[0]!] }, { keys: [c0[0]!] }] };
const twice: Shape = { keys: [a0[0]!] };

const order = refusals(
  'Malformed',
  {
    'reversed subtrees': shaped({ keys: [b1[0]!], children: [{ keys: [c0[0]!] }, { keys: [a0[0]!] }] }),
    'keys falling in a node': shaped({ keys: [b0[0]!, a0[0]!] }),
    'a key twice in a node': shaped({ keys: [a0[0]!, a0[0]!] }),
    'a key twice, in two nodes': shaped({ keys: [b1[0]!], children: [{ keys: [a0[0]!] }, { keys: [a0[0]!, c0[0]!] }] }),
    'a key outside the range of its parent': shaped({
      keys: [b1[0]!],
      children: [{ keys: [a0[0]!, c0[0]!] }, undefined],
    }),
    'one node in two places': shaped({ keys: [b1[0]!], children: [twice, twice] }),
  },
  { message: /order|two places|not a tree node/ },
);

const layers = refusals(
  'Malformed',
  {
    'a flat tree': shaped({ keys: [a0[0]!, b1[0]!, c0[0]!] }),
    'a key too high for its node': shaped({ keys: [b2[0]!], children: [{ keys: [a2[0]!] }, undefined] }),
    'a key too low for its node': shaped({ keys: [b2[0]!], children: [{ keys: [a0[0]!] }, undefined] }),
    'a layer left out': shaped({ keys: [b2[0]!], children: [{ keys: [a0[0]!] }, undefined] }),
    'an extra node without keys': shaped({
      keys: [b1[0]!],
      children: [{ keys: [], children: [{ keys: [a0[0]!] }] }, undefined],
    }),
    'a top that was not trimmed': shaped({ keys: [], children: [sound] }),
    'an empty leaf': shaped({ keys: [b1[0]!], children: [{ keys: [] }, undefined] }),
    'an empty chain': shaped({ keys: [b2[0]!], children: [{ keys: [], children: [{ keys: [] }] }, undefined] }),
    'a child below layer 0': shaped({ keys: [b0[0]!], children: [{ keys: [a0[0]!] }, undefined] }),
    'a chain of 200 nodes without keys': () =>
      carOfTree((onNode) => {
        let child = writeShape(fill({ keys: [a0[0]!] }), onNode);
        for (let i = 0; i < 200; i++) {
          child = writeShape({ keys: [], children: [child] }, onNode);
        }
        return child;
      }),
    'a subtree that belongs elsewhere': shaped({ keys: [b2[0]!], children: [{ keys: [a1[0]!] }, { keys: [a1[1]!] }] }),
  },
  { message: /layer|empty|no keys|root|deeper|order/ },
);

const right = { k: byteString(a0[0]!), p: uint(0), t: NULL, v: link(VALUE) };
const nodeOf = (...entries: readonly Raw[]) => node(map(['e', list(...entries)], ['l', NULL]));
const second = (p: Raw, k = byteString('zz')) => nodeOf(entry(right), entry({ ...right, k, p }));

const encodings = refusals(
  'Malformed',
  {
    'a prefix longer than the previous key': second(uint(a0[0]!.length + 1)),
    'a prefix of -1': second(hex('20')),
    'a prefix of -5': second(hex('24')),
    'a prefix of 2^53': second(hex('1b0020000000000000')),
    'a prefix of 2^32 + 1': second(hex('1b0000000100000001')),
    'a prefix that is a float': second(hex('fb3ff0000000000000')),
    'a prefix that is a text': second(textString('1')),
    'a prefix that is true': second(hex('f5')),
    'a prefix before the first key': nodeOf(entry({ ...right, p: uint(1) })),
    'a prefix that is not the whole common prefix': nodeOf(entry(right), entry({ ...right, k: byteString(a0[1]!) })),
    'no prefix': nodeOf(entry({ k: right.k, t: right.t, v: right.v })),
    'a key as text': nodeOf(entry({ ...right, k: textString(a0[0]!) })),
    'no key': nodeOf(entry({ p: right.p, t: right.t, v: right.v })),
    'an empty key': nodeOf(entry({ ...right, k: byteString('') })),
    'a key that is not UTF-8': nodeOf(
      entry({ ...right, k: byteString(concatBytes([byteString('com.example.a/').subarray(1), hex('ff')])) }),
    ),
    'null for a value': nodeOf(entry({ ...right, v: NULL })),
    'a value as text': nodeOf(entry({ ...right, v: textString(record.cid.toString()) })),
    'no value': nodeOf(entry({ k: right.k, p: right.p, t: right.t })),
    'no t': nodeOf(entry({ k: right.k, p: right.p, v: right.v })),
    'no l': node(map(['e', list(entry(right))])),
    'no e': node(map(['l', NULL])),
    'null for e': node(map(['e', NULL], ['l', NULL])),
    'a map for e': node(map(['e', map()], ['l', NULL])),
    'an additional field in the node': node(map(['e', list(entry(right))], ['l', NULL], ['x', NULL])),
    'an additional field in an entry': nodeOf(
      map(['k', right.k], ['p', right.p], ['t', right.t], ['v', right.v], ['x', NULL]),
    ),
    'a list of entries without an end': node(concatBytes([hex('a2 6165 9f'), entry(right), hex('ff 616c f6')])),
    'a length that is not in its shortest form': node(concatBytes([hex('a2 6165 9801'), entry(right), hex('616c f6')])),
    'a record in place of a node': node(record.bytes),
    'bytes after the node': node(concatBytes([map(['e', list(entry(right))], ['l', NULL]), hex('00')])),
  },
  { message: /not a tree node/ },
);

const LONG = 'k'.repeat(1024);
const paths = refusals(
  'Malformed',
  Object.fromEntries(
    Object.entries({
      'no slash': 'com.example.a',
      'two slashes': 'com.example.a/b/c',
      'an empty collection': '/b',
      'an empty record key': 'com.example.a/',
      'a space': 'com.example.a/b c',
      'a NUL': 'com.example.a/b\0',
      'a line end': 'com.example.a/b\n',
      'a percent sign': 'com.example.a/b%41',
      'a backslash': 'com.example.a/b\\c',
      'a dot': 'com.example.a/.',
      'two dots': 'com.example.a/..',
      'a collection that is two dots': '../b',
      'a collection that is no NSID': 'nonsid/b',
      'a collection in upper case': 'COM.EXAMPLE.a/b',
      __proto__: '__proto__/x',
      'a key of 1,025 bytes': `com.example.a/${LONG.slice(0, 1025 - 14)}`,
      'a record key of 513 bytes': `com.example.a/${LONG.slice(0, 513)}`,
      'a key of 65,555 bytes': `com.example.a/${'k'.repeat(65_541)}`,
      'a character that is not ASCII': 'com.example.a/é',
    }).map(([name, key]) => [name, nodeOf(entry({ ...right, k: byteString(key) }))]),
  ),
  { message: /key|k is/ },
);

const sizes: readonly HostileCase[] = [
  ...refusals('Malformed', {
    '2^40 paths through 41 nodes': () =>
      carOfTree((onNode) => {
        let child: CidBytes | undefined;
        for (let i = 0; i < 41; i++) {
          child = writeShape(
            fill({ keys: [`com.example.a/${String(i).padStart(3, '0')}`], children: [child, child] }),
            onNode,
          );
        }
        return child!;
      }),
    '10^12 paths, ten from each node': () =>
      carOfTree((onNode) => {
        let below: (CidBytes | undefined)[] = Array.from({ length: 11 }, () => undefined);
        for (let level = 0; level < 13; level++) {
          const keysOf = (i: number): string[] =>
            Array.from({ length: 10 }, (_, j) => `com.example.a/${level}-${i}-${j}`);
          below = below.map((_, i) => writeShape(fill({ keys: keysOf(i), children: below }), onNode));
        }
        return below[0]!;
      }),
    'more entries than a node may have': () => shaped({ keys: keysOfLayer(0, 8193, 'com.example.a/') })(),
    'longer keys than a node may have': () =>
      shaped({ keys: keysOfLayer(0, 600, `com.example.a/${LONG.slice(0, 500)}`) })(),
  }),
  ...refusals('BlockNotFound', {
    'a root that is not there': () => carOfTree(() => cidOf(0x71, hex('00')).bytes as CidBytes),
    'a node that is not there': shaped({
      keys: [b1[0]!],
      children: [cidOf(0x71, hex('00')).bytes as CidBytes, undefined],
    }),
  }),
];

export const treeClasses: readonly HostileClass[] = [
  { name: 'Trees with keys in a wrong order', cases: order },
  { name: 'Trees with nodes on a wrong layer', cases: layers },
  { name: 'Invalid tree nodes', cases: encodings },
  { name: 'Invalid keys', cases: paths },
  { name: 'Trees that exceed limits', cases: sizes },
];
