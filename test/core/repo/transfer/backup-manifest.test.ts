import { cidOf, CODEC_RAW } from '../../../../src/core/data/cid.ts';
import { blobPath } from '../../../../src/core/storage/layout.ts';
import { describe, expect, test } from 'vitest';
import type { BackupManifest } from '../../../../src/core/repo/transfer/backup-manifest.ts';
import {
  createManifestReader,
  decodeManifest,
  encodeManifest,
} from '../../../../src/core/repo/transfer/backup-manifest.ts';

const BLOB = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const file = { size: 4096, sha256: 'ab'.repeat(32) };
const manifest: BackupManifest = {
  did: 'did:web:alice.example.com',
  head: null,
  rev: null,
  counts: { blobs: 1, blocks: 2, commits: 3, records: 4 },
  files: new Map([
    ['pds.db', file],
    [`blobs/ba/${BLOB}`, { ...file, size: 0 }],
  ]),
  created: '2026-01-01T00:00:00.000Z',
};

const encoded = (change: (manifest: Record<string, unknown>) => void): Uint8Array => {
  const value = JSON.parse(new TextDecoder().decode(encodeManifest(manifest))) as Record<string, unknown>;
  change(value);
  return new TextEncoder().encode(JSON.stringify(value));
};

describe('a manifest', () => {
  test('round-trips', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  test.each<[string, (manifest: Record<string, unknown>) => void]>([
    ['a list', (m) => void (m['files'] = [])],
    ['no database', (m) => void (m['files'] = {})],
    ['no account', (m) => void delete m['did']],
    ['no DID', (m) => void (m['did'] = 'alice')],
    ['a head that is a number', (m) => void (m['head'] = 1)],
    ['no counts', (m) => void delete m['counts']],
    ['an invalid count', (m) => void (m['counts'] = { ...manifest.counts, blobs: -1 })],
    ['an invalid version', (m) => void (m['version'] = '1')],
    ['version 0', (m) => void (m['version'] = 0)],
    ...[
      '../pds.db',
      '/pds.db',
      'blobs/ba/../../x',
      'blobs/ba/',
      `blobs/xx/${BLOB}`,
      `blobs/ba/${BLOB.toUpperCase()}`,
      `blobs/ba/${BLOB.slice(0, -1)}v`,
      'pds.db-wal',
      '__proto__',
      'manifest.json',
    ].map((path): [string, (manifest: Record<string, unknown>) => void] => [
      `the path ${path}`,
      (m) =>
        void (m['files'] = JSON.parse(
          `{"pds.db":${JSON.stringify(file)},${JSON.stringify(path)}:${JSON.stringify(file)}}`,
        )),
    ]),
    ['an unknown field', (m) => void (m['other'] = 1)],
    ['an unknown field of a map', (m) => void (m['other'] = { did: 'x' })],
    ['an unknown count', (m) => void (m['counts'] = { ...manifest.counts, other: 1 })],
    ['an unknown field of a file', (m) => void (m['files'] = { 'pds.db': { ...file, other: 1 } })],
    ['a map in place of a text', (m) => void (m['created'] = { did: 'x' })],
    ['a text in place of a map', (m) => void (m['files'] = 'pds.db')],
    ['a file without a size', (m) => void (m['files'] = { 'pds.db': { sha256: file.sha256 } })],
    ['the field toString', (m) => void (m['toString'] = 1)],
    ['a text that is too long', (m) => void (m['created'] = 'x'.repeat(100_000))],
    ['an invalid size', (m) => void (m['files'] = { 'pds.db': { ...file, size: 1.5 } })],
    ['an invalid hash', (m) => void (m['files'] = { 'pds.db': { ...file, sha256: 'AB'.repeat(32) } })],
  ])('with %s is Malformed', (_, change) => {
    expect(() => decodeManifest(encoded(change))).toThrow(expect.objectContaining({ code: 'Malformed' }));
  });

  test('of the future is UnknownVersion', () => {
    expect(() => decodeManifest(encoded((m) => void (m['version'] = 2)))).toThrow(
      expect.objectContaining({ code: 'UnknownVersion' }),
    );
  });

  test('that is no JSON, or no UTF-8, is Malformed', () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array([0xff]), new TextEncoder().encode('null')]) {
      expect(() => decodeManifest(bytes)).toThrow(expect.objectContaining({ code: 'Malformed' }));
    }
  });

  test('that has a field twice, or a file, is Malformed', () => {
    const text = new TextDecoder().decode(encodeManifest(manifest));
    const entry = `"pds.db": ${JSON.stringify(file)},`;
    for (const twice of [
      text.replace('"did"', '"did": "did:web:other.example.com", "did"'),
      text.replace('"blobs": 1', '"blobs": 1, "blobs": 1'),
      text.replace('"files": {', `"files": {${entry}`),
      text.replace('"counts"', '"counts": {}, "counts"'),
    ]) {
      expect(twice).not.toBe(text);
      expect(() => decodeManifest(new TextEncoder().encode(twice))).toThrow(
        expect.objectContaining({ code: 'Malformed' }),
      );
    }
  });

  test('is read the same however its bytes come', () => {
    const bytes = encodeManifest(manifest);
    for (const size of [1, 2, 7, 64]) {
      const reader = createManifestReader();
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
      }
      expect(reader.end()).toEqual(manifest);
    }
  });

  test('as other programs format it is the same', () => {
    const value: unknown = JSON.parse(new TextDecoder().decode(encodeManifest(manifest)));
    for (const indent of [undefined, 2, 8, '\t']) {
      expect(decodeManifest(new TextEncoder().encode(JSON.stringify(value, undefined, indent)))).toEqual(manifest);
    }
  });

  test('of thirty thousand blobs is read', () => {
    const files = new Map([['pds.db', file]]);
    for (let i = 0; i < 30_000; i++) {
      files.set(blobPath(cidOf(CODEC_RAW, new TextEncoder().encode(String(i)))), file);
    }
    const bytes = encodeManifest({ ...manifest, files });
    expect(decodeManifest(bytes).files.size).toBe(30_001);
  });

  const LARGE = 60 * 1024 * 1024;
  const before = '{"version":1,"did":"did:web:alice.example.com",';
  test.each([
    ['numbers in an unknown field', `${before}"other":[`, '1,'],
    ['maps in an unknown field', `${before}"other":`, '{"":'],
    ['lists in a known field', `${before}"created":`, '['],
    ['a text without an end', `${before}"created":"`, 'x'],
    ['spaces', before, ' '],
    ['files without content', `${before}"files":{"pds.db":{"size":1}`, ' '],
    ['only digits', '', '1'],
  ])('of 60 MB, %s, is refused before it is read', (_, start, filling) => {
    const chunk = new TextEncoder().encode(filling.repeat(65536 / filling.length));
    const reader = createManifestReader();
    let taken = 0;
    expect(() => {
      reader.push(new TextEncoder().encode(start));
      for (; taken < LARGE; taken += chunk.length) {
        reader.push(chunk);
      }
    }).toThrow(expect.objectContaining({ code: 'Malformed' }));
    expect(taken).toBeLessThan(100_000);
  });
});
