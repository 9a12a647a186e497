/** Repositories with keys and records that are hard to write as files. */
import type { WriteOp } from '../../../src/core/repo/repo.ts';
import { cidOf, CODEC_DAG_CBOR, CODEC_RAW } from '../../../src/core/data/cid.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { writeCar } from '../../../src/core/car/writer.ts';
import { createTreeBuilder } from '../../../src/core/mst/build.ts';
import { createCommit } from '../../../src/core/repo/commit.ts';
import type { CID, CidBytes, CidCodec } from '../../../src/core/data/cid.ts';
import { decodeCid } from '../../../src/core/data/cid.ts';
import type { Signer } from '../../../src/core/crypto/signer.ts';
import { tidOf } from '../../../src/core/syntax/tid.ts';

const LONG_COLLECTION = `com.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.note`;

/** Keys whose names some file system refuses, cuts, or confuses with another one. */
export const ODD_KEYS: readonly (readonly [collection: string, rkey: string])[] = [
  ...['self', 'con', 'CON', 'Con.x', 'nul', 'aux.json', 'com1', 'lpt9.tar.gz', 'prn.'],
  ...[
    'a:b',
    'A:b',
    'at:did:web:x',
    '.a',
    '._a',
    '._',
    '...',
    'a.',
    'a..',
    '-',
    '_',
    '~',
    '~a',
    'a.json',
    'a.cbor',
    '_commit',
  ],
  ...['abc', 'Abc', 'aBC', 'ABC', 'Zed', 'x'.repeat(512), 'X'.repeat(512), `${'X'.repeat(511)}y`, ':'.repeat(512)],
  ...[
    `${'y'.repeat(199)}:z`,
    `${'y'.repeat(200)}`,
    `${'y'.repeat(201)}`,
    `${'Q'.repeat(199)}.con`,
    `${'a'.repeat(200)}con.b`,
  ],
]
  .map((rkey): readonly [string, string] => ['com.example.note', rkey])
  .concat(
    [
      'com.example.Note',
      'com.example.postGate',
      'con.example.note',
      LONG_COLLECTION,
      LONG_COLLECTION.replace(/note$/, 'Note'),
    ].map((collection): readonly [string, string] => [collection, 'Self']),
  );

const BLOB = { $type: 'blob', ref: cidOf(CODEC_RAW, new Uint8Array(3)), mimeType: 'image/png', size: 3 };

/** Values of the data model, each with something that its JSON form must keep. */
export const oddValue = (collection: string, n: number): Record<string, unknown> => ({
  $type: collection,
  n,
  text: ['', 'plain', '\ufeffmark', 'line\nbreak\u2028', '\u0000\u001b[31m', '日本語 🙂'][n % 6],
  ...(n % 4 === 0
    ? { bytes: new Uint8Array([n & 255, 1, 2]), link: cidOf(CODEC_DAG_CBOR, new Uint8Array([n & 255])) }
    : {}),
  ...(n % 5 === 0 ? { ['__proto__']: { '1': null, '10': true, '2': -n }, image: BLOB } : {}),
});

/** Creates of records with odd keys, and of `count` others. */
export const oddWrites = (count: number): WriteOp[] =>
  ODD_KEYS.concat(
    Array.from(
      { length: count },
      (_, n) =>
        [
          ['com.example.note', 'app.bsky.feed.post', 'com.example.log'][n % 3]!,
          n % 7 === 0 ? `K${(n * 7919).toString(36)}` : `3k${n.toString(36).padStart(11, '0')}`,
        ] as const,
    ),
  ).map(([collection, rkey], n) => ({ action: 'create', collection, rkey, value: oddValue(collection, n) }));

const text = new TextEncoder();

/** Blocks of records that are not in the data model, or have no exact JSON form. */
export const BAD_RECORDS: Readonly<Record<string, Uint8Array>> = {
  float: new Uint8Array([
    0xa2,
    0x61,
    0x78,
    0xfb,
    0x3f,
    0xf8,
    0,
    0,
    0,
    0,
    0,
    0,
    0x65,
    ...text.encode('$type'),
    0x61,
    0x61,
  ]),
  empty: new Uint8Array(0),
  notype: encodeCbor({ a: 1 }),
  link: new Uint8Array([0xa2, 0x65, ...text.encode('$link'), 0x61, 0x78, 0x65, ...text.encode('$type'), 0x61, 0x61]),
  halfblob: encodeCbor({ $type: 'a', b: { $type: 'blob', size: 1 } }),
  text: encodeCbor('text'),
};

type RecordBlock = readonly [path: string, cid: CID, bytes: Uint8Array];

const carOf = async (records: readonly RecordBlock[], did: string, signer?: Signer): Promise<Uint8Array> => {
  const blocks = records.map(([, cid, bytes]) => ({ cid, bytes }));
  const builder = createTreeBuilder((cid, bytes) => blocks.push({ cid: decodeCid(cid), bytes }));
  for (const [key, cid] of records.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    builder.add(key, cid.bytes as CidBytes);
  }
  const data = decodeCid(builder.finish());
  const commit = await createCommit({ did, data, rev: tidOf(1_700_000_000_000_000, 0) }, signer);
  return writeCar(commit.cid, [commit, ...blocks]);
};

const recordAt = (path: string, bytes: Uint8Array, codec: CidCodec = CODEC_DAG_CBOR): RecordBlock => [
  path,
  cidOf(codec, bytes),
  bytes,
];

/** A CAR with these records beside a valid one, and one record with a raw CID. */
export const badCar = (did: string, signer?: Signer): Promise<Uint8Array> =>
  carOf(
    [
      ...Object.entries(BAD_RECORDS).map(([name, bytes]) => recordAt(`com.example.bad/${name}`, bytes)),
      recordAt('com.example.bad/valid', encodeCbor({ $type: 'a', n: 1 })),
      recordAt('com.example.bad/raw', encodeCbor({ $type: 'a', raw: true }), CODEC_RAW),
    ],
    did,
    signer,
  );

/** Paths that are keys of a tree, but whose collection is not an NSID, or whose record key is too long. */
export const BAD_PATHS: readonly string[] = [
  ...['notes/a', 'Notes/a', 'notes/A', 'com.example/self', 'Com.Example.note/self', 'a.b.c.d-/x', '-/-', '~/~', ':/:'],
  ...['_commit.json/self', '_Commit.json/self', '_blobs/self', '_BLOBS/x', '_/_', '.git/config', '.../...', '._a/._a'],
  ...['con/con', 'NUL/nul', 'com1/x', 'aux.x/prn.', '.DS_Store/a', 'Thumbs.db/Thumbs.db', 'notes.json/a.json'],
  `${'n'.repeat(511)}/x`,
  `.${'N'.repeat(511)}/X`,
  `com.example.note/${'k'.repeat(600)}`,
  `${':'.repeat(500)}/${':'.repeat(500)}`,
];

/** A CAR with a record at each of these paths and at a valid one. */
export const badPathsCar = (did: string, signer?: Signer): Promise<Uint8Array> =>
  carOf(
    [...BAD_PATHS, 'com.example.note/valid'].map((path, n) => recordAt(path, encodeCbor({ $type: 'a', n }))),
    did,
    signer,
  );
