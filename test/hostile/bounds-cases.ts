/** Small CARs that request much time or memory. */
import { concatBytes } from '../../src/core/data/bytes.ts';
import type { CidBytes } from '../../src/core/data/cid.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { POST, rkeyOf } from '../../src/testing/repo/harness.ts';
import { headerOf, sectionOf } from '../core/car/raw-car.ts';
import { hex, keysOfLayer, writeShape } from '../core/mst/raw-node.ts';
import type { Shape } from '../core/mst/raw-node.ts';
import type { Entry } from './build-repository.ts';
import { blockOfBytes, carOf, posts, repositoryOf } from './build-repository.ts';
import { withRecord } from './record-cases.ts';
import { carOfTree, treeClasses } from './tree-cases.ts';

export interface BoundsCase {
  readonly name: string;
  readonly car: () => Promise<Uint8Array> | Uint8Array;
  /** The result of the import: a code, `accepted` or `reported`. */
  readonly end: string;
}

const record = blockOfBytes(encodeCbor({ $type: POST, text: 'sound' }));
const VALUE = record.cid.bytes as CidBytes;
const TYPE = hex('6524747970656178');
const TWO_MIB = 2 * 1024 * 1024;

/** A block full of values of one byte each, in lists of the maximum length. */
const crowd = (byte: number): Uint8Array => {
  const lists = Math.floor((TWO_MIB - 100) / 131_077);
  const list = concatBytes([hex('9a00020000'), new Uint8Array(131_072).fill(byte)]);
  return concatBytes([hex('a2 6161'), Uint8Array.of(0x80 | lists), ...Array.from({ length: lists }, () => list), TYPE]);
};

const shapeOf = (keys: readonly string[]): Shape => ({ keys, values: keys.map(() => VALUE) });

/**
 * Sound nodes whose keys differ only at the end. The encoding omits the common prefix, but the keys in memory contain
 * it.
 */
const sharedPrefixes = (count: number): Promise<Uint8Array> =>
  carOfTree((onNode) => {
    const long = 'k'.repeat(480);
    const tops = keysOfLayer(1, 24, `com.example.${'a'.repeat(60)}/${long}`);
    const children = [undefined, ...tops.map((top): Shape => shapeOf(keysOfLayer(0, count, top)))];
    return writeShape({ keys: tops, values: tops.map(() => VALUE), children }, onNode);
  });

const chain = (): Promise<Uint8Array> =>
  carOfTree((onNode) => {
    let child = writeShape({ keys: ['com.example.a/b'], values: [VALUE] }, onNode);
    for (let i = 0; i < 100_000; i++) {
      child = writeShape({ keys: [], children: [child] }, onNode);
    }
    return child;
  });

const known = (name: string): BoundsCase['car'] =>
  treeClasses.flatMap(({ cases }) => cases).find((one) => one.name === name)!.car;
const names = ['__proto__', 'constructor', 'prototype', 'toString', 'then'];

export const boundsCases: readonly BoundsCase[] = [
  { name: '2^40 paths through 41 nodes', car: known('2^40 paths through 41 nodes'), end: 'Malformed' },
  { name: '10^12 paths', car: known('10^12 paths, ten from each node'), end: 'Malformed' },
  { name: 'a tree of 100,000 levels', car: chain, end: 'Malformed' },
  {
    name: 'a record of a million nested lists',
    car: () => withRecord(concatBytes([hex('a2 6161'), new Uint8Array(1_000_000).fill(0x81), hex('80'), TYPE])),
    end: 'reported',
  },
  {
    name: 'a section that announces 2^62 bytes',
    car: async () => {
      const { commit } = await repositoryOf();
      return concatBytes([headerOf(commit.cid), sectionOf(commit), hex('808080808080808040'), new Uint8Array(1000)]);
    },
    end: 'Malformed',
  },
  {
    name: 'keys and fields named __proto__',
    car: async () => {
      const fields = names.reduce(
        (map, name) => Object.defineProperty(map, name, { value: { polluted: true }, enumerable: true }),
        { $type: POST },
      );
      return carOf(
        await repositoryOf({
          records: names.map((name): Entry => [`${POST}/${name}`, blockOfBytes(encodeCbor(fields))]),
        }),
      );
    },
    end: 'accepted',
  },
  { name: 'two million empty maps in one record', car: () => withRecord(crowd(0xa0)), end: 'reported' },
  { name: 'two million integers in one record', car: () => withRecord(crowd(0x01)), end: 'reported' },
  { name: 'nodes whose keys differ only at the end', car: () => sharedPrefixes(8192), end: 'Malformed' },
  { name: 'nodes with such keys up to the limit', car: () => sharedPrefixes(440), end: 'accepted' },
  {
    name: 'one bad record under 5,000 keys',
    car: async () => {
      const bad = blockOfBytes(concatBytes([hex('a2 6161 f7'), TYPE]));
      return carOf(
        await repositoryOf({ records: Array.from({ length: 5000 }, (_, i): Entry => [`${POST}/${rkeyOf(i)}`, bad]) }),
      );
    },
    end: 'reported',
  },
  {
    name: 'a header that announces 2^53 - 1 bytes',
    car: () => concatBytes([hex('ffffffffffffff0f'), new Uint8Array(5000)]),
    end: 'LimitExceeded',
  },
  {
    name: '20 MiB of unlinked blocks',
    car: async () => {
      const { commit, blocks } = await repositoryOf({ records: posts(3) });
      const unlinked = Array.from({ length: 10 }, (_, i) => blockOfBytes(new Uint8Array(TWO_MIB - 100).fill(i)));
      return concatBytes([headerOf(commit.cid), ...[...blocks, ...unlinked].map(sectionOf)]);
    },
    end: 'LimitExceeded',
  },
];
