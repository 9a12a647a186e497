import { expect, test } from 'vitest';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidTextToBytes } from '../../../src/core/data/cid.ts';
import { createTreeBuilder } from '../../../src/core/mst/build.ts';
import { MAX_NODE_ENTRIES } from '../../../src/core/mst/node.ts';
import { valueOf } from './blocks-in-memory.ts';
import { decodeNode } from './decode-node.ts';
import { keysOfLayer } from './raw-node.ts';

const VALUE = cidTextToBytes('bafyreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454')!;
const records = (...rkeys: readonly string[]): string[] => rkeys.map((rkey) => `com.example.record/${rkey}`);

const build = (keys: readonly string[]): string => {
  const builder = createTreeBuilder();
  for (const key of keys) {
    builder.add(key, VALUE);
  }
  return cidBytesToText(builder.finish());
};

// Roots that the tests of the reference implementation know as well.
test.each([
  ['no key', [], 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'],
  ['one key', records('3jqfcqzm3fo2j'), 'bafyreibj4lsc3aqnrvphp5xmrnfoorvru4wynt6lwidqbm2623a6tatzdu'],
  ['one key of layer 2', records('3jqfcqzm3fx2j'), 'bafyreih7wfei65pxzhauoibu3ls7jgmkju4bspy4t2ha2qdjnzqvoy33ai'],
  [
    'five keys on two layers',
    records('3jqfcqzm3fp2j', '3jqfcqzm3fr2j', '3jqfcqzm3fs2j', '3jqfcqzm3ft2j', '3jqfcqzm4fc2j'),
    'bafyreicmahysq4n6wfuxo522m6dpiy7z7qzym3dzs756t5n7nfdgccwq7m',
  ],
])('%s', (_, keys, root) => {
  expect(build(keys)).toBe(root);
});

test('nodes come children first, the root last, each once, and gaps are bridged', () => {
  const [low] = keysOfLayer(0, 1) as [string];
  const [high] = keysOfLayer(4, 1, 'b/') as [string];
  const nodes: { cid: CidBytes; keys: readonly string[] }[] = [];
  const builder = createTreeBuilder((cid, bytes) => nodes.push({ cid, keys: decodeNode(bytes, nodes.length).keys }));
  builder.add(low, VALUE);
  builder.add(high, VALUE);
  const root = builder.finish();
  expect(nodes.map(({ keys }) => keys)).toEqual([[low], [], [], [], [high]]);
  expect(nodes.at(-1)!.cid).toEqual(root);
});

test('holds the right edge and hands out the rest at once', () => {
  const keys = keysOfLayer(0, 40).concat(keysOfLayer(1, 10)).sort();
  let done = 0;
  const builder = createTreeBuilder(() => {
    done += 1;
  });
  for (const key of keys) {
    builder.add(key, VALUE);
  }
  const before = done;
  builder.finish();
  expect(done - before).toBeLessThanOrEqual(2);
});

test.each([
  ['falling', ['a/2', 'a/1']],
  ['a key twice', ['a/1', 'a/1']],
  ['no key', ['a']],
])('refuses %s', (_, keys) => {
  expect(() => build(keys)).toThrow(expect.objectContaining({ code: 'Malformed' }));
});

test('rejects one entry above the limit of a node', () => {
  const keys = keysOfLayer(0, MAX_NODE_ENTRIES + 1);
  expect(build(keys.slice(1))).toMatch(/^bafyrei/);
  expect(() => build(keys)).toThrow(expect.objectContaining({ code: 'LimitExceeded' }));
});

test('values are part of the root', () => {
  const rootOf = (value: CidBytes): string => {
    const builder = createTreeBuilder();
    builder.add('a/1', value);
    return cidBytesToText(builder.finish());
  };
  expect(rootOf(valueOf('1'))).not.toBe(rootOf(valueOf('2')));
});
