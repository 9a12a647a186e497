import { expect, test } from 'vitest';
import { blobMentions, mayMentionBlob } from '../../../src/core/data/blob-ref.ts';
import { decodeRecord } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { checkRecord } from '../../../src/core/data/record-check.ts';
import { seeded } from '../../random/seeded.ts';

const cid = cidOf(CODEC_RAW, Uint8Array.of(1));
const blob = { $type: 'blob', ref: cid, mimeType: 'image/png', size: 1 };
const RECORDS: readonly unknown[] = [
  {
    $type: 'com.example.a',
    text: 'hello',
    deep: [{ a: [], b: { c: null } }],
    n: -5,
    yes: true,
    link: cid,
    bytes: new Uint8Array(300),
  },
  { a: 1, bb: [1, 2, { $type: 'inside' }], $type: 'com.example.a', zzzzzzz: 1 },
  { $type: '' },
  { $type: 5 },
  { text: 'no type' },
  { inner: { $type: 'com.example.a' } },
  {},
  [],
  'text',
  null,
  { $type: 'com.example.a', embed: { images: [{ image: blob }] } },
  { $type: 'com.example.a', avatar: { cid: String(cid), mimeType: 'image/png' } },
];

const verdictOf = (run: () => unknown): string => {
  try {
    run();
    return 'ok';
  } catch (error) {
    return (error as Error).message;
  }
};

test.each(RECORDS.map((record) => [JSON.stringify(record), encodeCbor(record)] as const))(
  'gives the same result as decoding: %s',
  (_, bytes) => {
    expect(verdictOf(() => checkRecord(bytes))).toBe(verdictOf(() => decodeRecord(bytes)));
  },
);

test('gives the same result as decoding for damaged bytes (seed 5)', () => {
  const random = seeded(5);
  const verdicts = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    const bytes = encodeCbor(RECORDS[i % RECORDS.length]).slice();
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const verdict = verdictOf(() => decodeRecord(bytes));
    verdicts.add(verdict);
    expect(verdictOf(() => checkRecord(bytes))).toBe(verdict);
  }
  expect(verdicts).toContain('ok');
  expect(verdicts.size).toBeGreaterThan(20);
});

test('bytes for which mayMentionBlob is false mention no blob', () => {
  for (const record of RECORDS) {
    const bytes = encodeCbor(record);
    expect(mayMentionBlob(bytes)).toBe(blobMentions(record).length > 0);
  }
  expect(mayMentionBlob(encodeCbor({ $type: 'com.example.a', text: 'a mimeType in passing' }))).toBe(true);
  expect(mayMentionBlob(encodeCbor({ $type: 'com.example.a', text: 'Type Type meType' }))).toBe(false);
});
