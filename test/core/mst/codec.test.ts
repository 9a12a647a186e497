import { describe, expect, test } from 'vitest';
import { concatBytes, equalBytes } from '../../../src/core/data/bytes.ts';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { cidBytesOf, cidBytesToText, cidOf } from '../../../src/core/data/cid.ts';
import { decodeContent, encodeNode } from '../../../src/core/mst/codec.ts';
import { commonPrefixLength, isTreeKey } from '../../../src/core/mst/key.ts';
import type { Node } from '../../../src/core/mst/node.ts';
import {
  EMPTY_NODE,
  EMPTY_NODE_BYTES,
  EMPTY_ROOT,
  MAX_NODE_ENTRIES,
  MAX_TREE_DEPTH,
} from '../../../src/core/mst/node.ts';
import { seeded } from '../../random/seeded.ts';
import { valueOf } from './blocks-in-memory.ts';
import { decodeNode } from './decode-node.ts';
import { NULL, byteString, entry, hex, keysOfLayer, link, list, map, textString, uint } from './raw-node.ts';
import type { Raw } from './raw-node.ts';

const [LOW, LOWER] = keysOfLayer(0, 2) as [string, string];
const [HIGH] = keysOfLayer(1, 1) as [string];
const CHILD = valueOf('child');
const RECORD = valueOf('record');

const node = (entries: readonly Raw[], l: Raw = NULL): Raw => map(['e', list(...entries)], ['l', l]);
const good = { k: byteString(LOW), p: uint(0), t: NULL, v: link(RECORD) };
const second = (p: number, k: string, more: object = {}): Raw =>
  entry({ k: byteString(k), p: uint(p), t: NULL, v: link(RECORD), ...more });
const withCodec = (cid: CidBytes, ...start: number[]): CidBytes =>
  Uint8Array.from([...start, ...cid.slice(start.length)]);

test('the empty node', () => {
  expect(encodeNode(EMPTY_NODE)).toEqual(EMPTY_NODE_BYTES);
  expect(decodeNode(EMPTY_NODE_BYTES)).toEqual(EMPTY_NODE);
  expect(cidBytesToText(cidBytesOf(EMPTY_NODE_BYTES))).toBe(
    'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
  );
  expect(EMPTY_ROOT.toString()).toBe('bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm');
});

test('decoding an encoded node returns the same node, for any content (seed 11)', () => {
  const random = seeded(11);
  const child = () => (random() < 0.5 ? undefined : { cid: valueOf(`${random()}`), node: undefined });
  for (let round = 0; round < 100; round++) {
    const layer = 1 + Math.floor(random() * 2);
    const length = round === 0 ? 300 : [1, 2, 5, 30][round % 4]!;
    // Includes long keys, whose lengths take two bytes.
    const keys = keysOfLayer(layer, length, `a/${'x'.repeat(Math.floor(random() * 300))}`);
    const original: Node = { layer, keys, values: keys.map(valueOf), children: [child(), ...keys.map(child)] };
    const bytes = encodeNode(original);
    expect(decodeNode(bytes)).toEqual(original);
    expect(decodeNode(bytes, layer)).toEqual(original);
  }
});

test('the check of keys by bytes equals the check by the regular expression (seed 12)', () => {
  const random = seeded(12);
  const ALPHABET = 'aZ9._~:-/.';
  const text = (): string =>
    Array.from({ length: Math.floor(random() * 7) }, () =>
      random() < 0.02 ? '\u00e9 %\u0000'[Math.floor(random() * 4)]! : ALPHABET[Math.floor(random() * 10)]!,
    ).join('');
  let accepted = 0;
  for (let round = 0; round < 4000; round++) {
    const keys = round % 2 === 0 ? [text()] : ['aa/bb', `aa/bb`.slice(0, Math.floor(random() * 6)) + text()];
    const [first, other] = keys as [string, string | undefined];
    const prefix = other === undefined ? 0 : commonPrefixLength(first, other);
    const entries = [entry({ ...good, k: byteString(first) })];
    if (other !== undefined) {
      entries.push(second(prefix, other.slice(prefix)));
    }
    const isKept = keys.every(isTreeKey) && (other === undefined || other > first);
    accepted += isKept ? 1 : 0;
    const read = (): readonly string[] => decodeContent(Uint8Array.from(node(entries))).keys;
    if (isKept) {
      expect(read()).toEqual(keys);
    } else {
      expect(read).toThrow(expect.objectContaining({ code: 'Malformed' }));
    }
  }
  expect(accepted).toBeGreaterThan(200);
});

test('decoded nodes have no views of the block', () => {
  const bytes = Uint8Array.from(node([entry({ ...good, k: byteString(HIGH), t: link(CHILD) })]));
  const { values, children } = decodeNode(bytes);
  bytes.fill(0);
  expect(values).toEqual([RECORD]);
  expect(children[1]).toEqual({ cid: CHILD, node: undefined });
});

test('a link to a record may be raw, a link to a node may not', () => {
  const raw = withCodec(RECORD, 1, 0x55);
  expect(decodeNode(node([entry({ ...good, v: link(raw) })])).values).toEqual([raw]);
  expect(() => decodeNode(node([entry({ ...good, t: link(raw) })]))).toThrow('expected dag-cbor (0x71)');
});

describe('layers', () => {
  test('is that of the first key', () => {
    expect(decodeNode(node([entry(good)])).layer).toBe(0);
    expect(decodeNode(node([entry({ ...good, k: byteString(HIGH) })])).layer).toBe(1);
  });

  test('a node on a wrong layer is rejected', () => {
    expect(() => decodeNode(node([entry(good)]), 1)).toThrow('layer 1 but has a key of layer 0');
  });

  test('no node is below layer 0', () => {
    expect(() => decodeNode(node([entry({ ...good, t: link(CHILD) })]))).toThrow('layer 0 and has children');
    expect(() => decodeNode(node([entry(good)], link(CHILD)))).toThrow('layer 0 and has children');
    expect(() => decodeNode(node([], link(CHILD)), 0)).toThrow('a child below layer 0');
  });

  test('a node without keys has the given layer', () => {
    expect(decodeNode(node([], link(CHILD)), 3)).toEqual({
      layer: 3,
      keys: [],
      values: [],
      children: [{ cid: CHILD, node: undefined }],
    });
    expect(decodeNode(node([], link(CHILD))).layer).toBe(MAX_TREE_DEPTH);
  });

  test('an empty node is a root', () => {
    expect(() => decodeNode(EMPTY_NODE_BYTES, 0)).toThrow('not the root');
  });
});

test('a child without a CID cannot be encoded', () => {
  expect(() => encodeNode({ keys: [], values: [], children: [{ cid: undefined, node: EMPTY_NODE }] })).toThrow(
    TypeError,
  );
});

test('a node may have MAX_NODE_ENTRIES entries, and no more', () => {
  const keys = keysOfLayer(0, MAX_NODE_ENTRIES + 1);
  const values = keys.map(() => RECORD);
  const children = [undefined, ...keys.map(() => undefined)];
  const most = encodeNode({ keys: keys.slice(1), values: values.slice(1), children: children.slice(1) });
  expect(decodeNode(most).keys.length).toBe(MAX_NODE_ENTRIES);
  expect(() => decodeNode(encodeNode({ keys, values, children }))).toThrow('the limit is 8192');
});

const bad: Record<string, Raw> = {
  'no bytes': new Uint8Array(),
  'a record': map(['$type', textString('com.example.record')]),
  'a list': list(),
  'e missing': map(['l', NULL]),
  'e null': map(['e', NULL], ['l', NULL]),
  'e a map': map(['e', map()], ['l', NULL]),
  'l missing': map(['e', list()]),
  'l text': node([], textString('a')),
  'l a number': node([], uint(0)),
  'l undefined': node([], hex('f7')),
  'a third field': map(['e', list()], ['l', NULL], ['x', NULL]),
  'fields out of order': map(['l', NULL], ['e', list()]),
  'a field twice': map(['e', list()], ['e', list()]),
  'bytes after the end': concatBytes([EMPTY_NODE_BYTES, hex('00')]),
  'an endless map': hex('bf 6165 80 616c f6 ff'),
  'an endless list': hex('a2 6165 9fff 616c f6'),
  'a long head for the map': hex('b802 6165 80 616c f6'),
  'a long head for a name': hex('a2 780165 80 616c f6'),
  'a long head for the list': hex('a2 6165 9800 616c f6'),
  'a longer head for the list': hex('a2 6165 990000 616c f6'),
  'a list of 2^32 - 1': hex('a2 6165 9affffffff 616c f6'),
  'a list of 2^64 - 1': hex('a2 6165 9bffffffffffffffff 616c f6'),
  'a list of more than there are': hex('a2 6165 81 616c f6'),
  'entry null': node([NULL]),
  'entry a list': node([list()]),
  'entry without k': node([entry({ p: good.p, t: good.t, v: good.v })]),
  'entry without p': node([entry({ k: good.k, t: good.t, v: good.v })]),
  'entry without t': node([entry({ k: good.k, p: good.p, v: good.v })]),
  'entry without v': node([entry({ k: good.k, p: good.p, t: good.t })]),
  'entry with another field': node([map(['k', good.k], ['p', good.p], ['t', good.t], ['v', good.v], ['x', NULL])]),
  'entry out of order': node([map(['p', good.p], ['k', good.k], ['t', good.t], ['v', good.v])]),
  'k text': node([entry({ ...good, k: textString(LOW) })]),
  'k null': node([entry({ ...good, k: NULL })]),
  'k empty': node([entry({ ...good, k: byteString('') })]),
  'k empty after a key': node([entry(good), second(LOW.length, '')]),
  'k not UTF-8': node([entry({ ...good, k: byteString(Uint8Array.from([0x61, 0x2f, 0xff])) })]),
  'k not ASCII': node([entry({ ...good, k: byteString('a/é') })]),
  'k longer than the block': hex('a2 6165 81 a4 616b 5903e8 61'),
  'k of 1,025 bytes': node([entry({ ...good, k: byteString(`a/${'b'.repeat(1023)}`) })]),
  'k of 65,555 bytes': node([entry({ ...good, k: byteString(`a/${'b'.repeat(65553)}`) })]),
  'p of the first key not 0': node([entry({ ...good, p: uint(1) })]),
  'p longer than the key before': node([entry(good), second(LOW.length + 1, 'z')]),
  'p negative': node([entry(good), second(0, LOWER, { p: hex('20') })]),
  'p -5': node([entry(good), second(0, LOWER, { p: hex('24') })]),
  'p 2^32 + 1': node([entry(good), second(0, 'z', { p: hex('1b0000000100000001') })]),
  'p 2^53': node([entry(good), second(0, 'z', { p: hex('1b0020000000000000') })]),
  'p a float': node([entry(good), second(0, LOWER, { p: hex('fb3ff0000000000000') })]),
  'p text': node([entry(good), second(0, LOWER, { p: textString('1') })]),
  'p true': node([entry(good), second(0, LOWER, { p: hex('f5') })]),
  'p with a long head': node([entry({ ...good, p: hex('1800') })]),
  'p not maximal': node([entry(good), second(0, LOWER)]),
  'p one short': node([entry(good), second(1, LOWER.slice(1))]),
  'a key twice': node([entry(good), second(0, LOW)]),
  'keys falling': node([entry({ ...good, k: byteString('b/0') }), second(0, 'a/0')]),
  'a key and its beginning': node([entry({ ...good, k: byteString('a/00') }), second(3, '')]),
  't missing, l there': node([entry({ k: good.k, p: good.p, v: good.v })], link(CHILD)),
  't text': node([entry({ ...good, t: textString('') })]),
  't false': node([entry({ ...good, t: hex('f4') })]),
  'v null': node([entry({ ...good, v: NULL })]),
  'v text': node([entry({ ...good, v: textString(cidBytesToText(RECORD)) })]),
  'v bytes without a tag': node([entry({ ...good, v: concatBytes([hex('582500'), RECORD]) })]),
  'v with another tag': node([entry({ ...good, v: concatBytes([hex('d82b582500'), RECORD]) })]),
  'v without the zero': node([entry({ ...good, v: concatBytes([hex('d82a5824'), RECORD]) })]),
  'v a CID of version 0': node([entry({ ...good, v: concatBytes([hex('d82a582300'), hex('1220'), RECORD.slice(4)]) })]),
  'v a CID of version 2': node([entry({ ...good, v: link(withCodec(RECORD, 2)) })]),
  'v dag-pb': node([entry({ ...good, v: link(withCodec(RECORD, 1, 0x70)) })]),
  'v sha1': node([entry({ ...good, v: link(withCodec(RECORD, 1, 0x71, 0x11)) })]),
  'v identity': node([entry({ ...good, v: link(withCodec(RECORD, 1, 0x71, 0x00)) })]),
  'v with a digest of 31': node([entry({ ...good, v: link(withCodec(RECORD, 1, 0x71, 0x12, 0x1f)) })]),
  'a truncated v': node([entry({ ...good, v: link(RECORD).slice(0, 30) })]),
};

const badKeys = [
  'noslash',
  'a/b/c',
  '/b',
  'a/',
  'a b/c',
  'a/b\0',
  'a/b\n',
  'a/b%41',
  'a/b\\c',
  'a/.',
  'a/..',
  '../b',
  'a/b@',
];

describe('refuses', () => {
  test.each(Object.entries(bad))('%s', (_, bytes) => {
    expect(() => decodeNode(bytes)).toThrow(
      expect.objectContaining({ code: 'Malformed', message: expect.stringMatching(/^not a tree node: ./) }),
    );
  });

  test.each(badKeys)('the key %j', (key) => {
    expect(() => decodeNode(node([entry({ ...good, k: byteString(key) })]))).toThrow('not collection/rkey');
  });

  test('a node that is truncated at any byte', () => {
    const whole = node([entry({ ...good, k: byteString(HIGH), t: link(CHILD) })], link(CHILD));
    expect(decodeNode(whole).keys).toEqual([HIGH]);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeNode(whole.slice(0, length))).toThrow(expect.objectContaining({ code: 'Malformed' }));
    }
  });

  test('or decodes a node that encodes to the same bytes, for every changed byte (seed 12)', () => {
    const random = seeded(12);
    const keys = keysOfLayer(1, 4);
    const whole = encodeNode({
      keys,
      values: keys.map(valueOf),
      children: [undefined, ...keys.map((key) => ({ cid: valueOf(`t${key}`), node: undefined }))],
    });
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      const changed = whole.slice();
      changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
      try {
        const decoded = decodeNode(changed);
        expect(equalBytes(encodeNode(decoded), changed)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'Malformed' });
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });
});

test('the CID of a node is the CID of its bytes', () => {
  const bytes = encodeNode({ keys: [LOW], values: [RECORD], children: [undefined, undefined] });
  expect(bytes).toEqual(node([entry(good)]));
  expect(cidOf(0x71, bytes).bytes).toEqual(cidBytesOf(bytes));
});
