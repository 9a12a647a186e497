/** Unusual but valid CARs. Each must be accepted. */
import { expect } from 'vitest';
import { equalBytes } from '../../src/core/data/bytes.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { CODEC_RAW, cidOf, cidToText } from '../../src/core/data/cid.ts';
import { tidOf } from '../../src/core/syntax/tid.ts';
import { KEY, OTHER_KEY, POST, rkeyOf } from '../../src/testing/repo/harness.ts';
import { keysOfLayer } from '../core/mst/raw-node.ts';
import type { Entry, Repository } from './build-repository.ts';
import { BASE_REV, blockOfBytes, carOf, carOfBlocks, posts, repositoryOf } from './build-repository.ts';
import { COMMIT_AS_RECORD } from './commit-cases.ts';
import type { HostileCase, HostileClass } from './hostile-case.ts';
import { withRecord } from './record-cases.ts';

/** The repository that every case replaces. */
export const base: Repository = await repositoryOf({ records: posts(20, 'base'), fields: { rev: BASE_REV } });

const whole = await repositoryOf();
const root = whole.commit.cid;
const unlinked = posts(3, 'unlinked').map(([, block]) => block);

const accepted = (
  name: string,
  car: HostileCase['car'],
  more: Pick<HostileCase, 'options' | 'then'> = {},
): HostileCase => ({ name, car, expect: 'accepted', ...more });

const frames: readonly HostileCase[] = [
  accepted('a repository as it is exported', () => carOf(whole)),
  accepted('two roots, the first of them the commit', () => carOfBlocks([root, whole.nodes[0]!.cid], whole.blocks)),
  accepted('64 roots', () =>
    carOfBlocks(
      Array.from({ length: 64 }, () => root),
      whole.blocks,
    ),
  ),
  accepted('a second root that is not there', () => carOfBlocks([root, unlinked[0]!.cid], whole.blocks)),
  accepted('blocks in reverse', () => carOfBlocks([root], whole.blocks.toReversed())),
  accepted('blocks in the order of their names', () =>
    carOfBlocks(
      [root],
      whole.blocks.toSorted((a, b) => (cidToText(a.cid) < cidToText(b.cid) ? -1 : 1)),
    ),
  ),
  accepted('each block three times', () => carOfBlocks([root], [...whole.blocks, ...whole.blocks, ...whole.blocks])),
  accepted(
    'blocks that nothing refers to, which are not kept',
    () => carOfBlocks([root], [...unlinked, ...whole.blocks, ...unlinked]),
    {
      then: async (repo) => {
        const { blocks } = await repo.info();
        expect(blocks).toBe(base.blocks.length + whole.blocks.length);
        await expect(repo.checkout(unlinked[0]!.cid)).rejects.toMatchObject({ code: 'RefNotFound' });
      },
    },
  ),
  accepted('a raw block that nothing refers to', () =>
    carOfBlocks([root], [...whole.blocks, { cid: cidOf(CODEC_RAW, new Uint8Array(9)), bytes: new Uint8Array(9) }]),
  ),
  accepted('a block without bytes that nothing refers to', () =>
    carOfBlocks([root], [...whole.blocks, { cid: cidOf(CODEC_RAW, new Uint8Array()), bytes: new Uint8Array() }]),
  ),
  accepted('as many bytes as there may be', () => carOf(whole), { options: { maxSize: carOf(whole).length } }),
  accepted('the head once more', () => carOf(base)),
  accepted('only what is new since the head', async () => {
    const next = await repositoryOf({ records: [...posts(20, 'base'), [`${POST}/zzz`, unlinked[0]!]] });
    const known = new Set(base.blocks.map(({ cid }) => cidToText(cid)));
    return carOfBlocks(
      [next.commit.cid],
      next.blocks.filter(({ cid }) => !known.has(cidToText(cid))),
    );
  }),
];

const commits: readonly HostileCase[] = [
  accepted('a repository without records', async () => carOf(await repositoryOf({ records: [] })), {
    then: async (repo) => expect((await repo.info()).records).toBe(0),
  }),
  accepted('a signature of secp256k1', () => carOf(whole), { options: { key: KEY.did!() } }),
  accepted('a signature of P-256', async () => carOf(await repositoryOf({ signer: OTHER_KEY })), {
    options: { key: OTHER_KEY.did!() },
  }),
  accepted('no signature, where that is allowed', async () => carOf(await repositoryOf({ signer: null })), {
    options: { allowUnsigned: true },
  }),
  accepted('a commit of version 2', async () => carOf(await repositoryOf({ fields: { version: 2 } })), {
    options: { key: KEY.did!() },
  }),
  accepted('a commit that names the one before it', async () =>
    carOf(await repositoryOf({ fields: { prev: base.commit.cid } })),
  ),
  accepted('a commit whose previous one nobody has', async () =>
    carOf(await repositoryOf({ fields: { prev: unlinked[0]!.cid } })),
  ),
  accepted('a rev four minutes ahead', async () =>
    carOf(await repositoryOf({ fields: { rev: tidOf((Date.now() + 4 * 60_000) * 1000, 0) } })),
  ),
];

const sharing =
  (bytes: Uint8Array, ...paths: readonly string[]) =>
  async (): Promise<Uint8Array> =>
    carOf(await repositoryOf({ records: paths.map((path): Entry => [path, blockOfBytes(bytes)]) }));
const sound = encodeCbor({ $type: POST, text: 'sound' });
const long = `com.example.${'abcdefghij'.repeat(4)}.${'k'.repeat(60)}.a${'b'.repeat(60)}`;

const trees: readonly HostileCase[] = [
  accepted('a record key of 512 bytes', sharing(sound, `${POST}/${'k'.repeat(512)}`)),
  accepted('the longest collection with the longest record key', sharing(sound, `${long}/${'k'.repeat(512)}`)),
  accepted(
    'record keys of every character that there is',
    sharing(sound, `${POST}/a-b_c~d:e.f`, `${POST}/-`, `${POST}/_`, `${POST}/~`, `${POST}/:`, `${POST}/...`),
  ),
  accepted(
    'keys named __proto__, constructor and toString',
    sharing(sound, `${POST}/__proto__`, `${POST}/constructor`, `${POST}/toString`, 'com.example.constructor/prototype'),
    {
      then: async (repo) => {
        expect((await repo.get(POST, '__proto__'))?.value['text']).toBe('sound');
        expect(await repo.get(POST, 'hasOwnProperty')).toBeUndefined();
        expect((await repo.collections()).map(({ collection }) => collection)).toEqual([
          POST,
          'com.example.constructor',
        ]);
      },
    },
  ),
  accepted(
    'one record under many keys',
    sharing(sound, ...Array.from({ length: 300 }, (_, i) => `${POST}/${rkeyOf(i)}`)),
  ),
  accepted('a collection whose name begins another', sharing(sound, `${POST}/a`, `${POST}gate/a`)),
  accepted('keys that were mined to lie in one node', () =>
    sharing(sound, ...keysOfLayer(0, 2000, 'com.example.a/'))(),
  ),
  accepted(
    'a record that has the form of a tree node',
    sharing(encodeCbor({ $type: POST, e: [], l: null }), `${POST}/a`),
  ),
  accepted('a record that has the form of a commit', sharing(COMMIT_AS_RECORD, `${POST}/a`)),
];

/** A field with any name, also `__proto__`, which `{ [name]: … }` would set as the prototype. */
const field = (name: string, value: unknown): Record<string, unknown> =>
  Object.defineProperty({ $type: POST }, name, { value, enumerable: true });
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '0',
  '10',
  '/',
  '',
];

const holds =
  (value: Record<string, unknown>): HostileCase['then'] =>
  async (repo) => {
    const found = await repo.get(POST, rkeyOf(99));
    expect(equalBytes(encodeCbor(found!.value), encodeCbor(value)), 'the record').toBe(true);
    for (const name of Object.keys(value)) {
      expect(Object.hasOwn(found!.value, name), name).toBe(true);
    }
  };
const record = (name: string, value: Record<string, unknown>): HostileCase =>
  accepted(name, () => withRecord(encodeCbor(value)), { then: holds(value) });
const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((inner: unknown) => [inner], []);

const records: readonly HostileCase[] = [
  ...NAMES.map((name) => record(`a field named ${JSON.stringify(name)}`, field(name, { polluted: true }))),
  record(
    'all of these fields',
    NAMES.reduce((map, name) => Object.defineProperty(map, name, { value: 1, enumerable: true }), {
      $type: POST,
    } as Record<string, unknown>),
  ),
  record('2^53 - 1 and its negative', { $type: POST, most: Number.MAX_SAFE_INTEGER, least: Number.MIN_SAFE_INTEGER }),
  record('the edges of every length of integers', {
    $type: POST,
    edges: [23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32].flatMap((n) => [n, -n, -1 - n]),
  }),
  record('keys whose order differs in UTF-8 and UTF-16', { $type: POST, '\u{FF5E}': 1, '\u{1F600}': 2, '\u{E000}': 3 }),
  record('a byte order mark', { $type: POST, text: '\u{FEFF}text', '\u{FEFF}': 1 }),
  record('every kind of value', {
    $type: POST,
    a: null,
    b: true,
    c: false,
    d: [],
    e: {},
    f: new Uint8Array(0),
    g: '',
    h: root,
    i: '\u0000',
  }),
  record('64 levels', { $type: POST, nested: nested(62) }),
  record('a list of 131,072 entries', { $type: POST, list: Array.from({ length: 131_072 }, () => 0) }),
  record('a key of 8,192 bytes', { $type: POST, ['k'.repeat(8192)]: 1 }),
  record('a megabyte of text', { $type: POST, text: 'x'.repeat(1_000_000) }),
  record('a map with $link and $bytes', { $type: POST, link: { $link: 'x', $bytes: 'y' } }),
];

export const unusualClasses: readonly HostileClass[] = [
  { name: 'Unusual but valid: CARs', cases: frames },
  { name: 'Unusual but valid: commits', cases: commits },
  { name: 'Unusual but valid: trees and keys', cases: trees },
  { name: 'Unusual but valid: records', cases: records },
];
