import { describe, expect, test } from 'vitest';
import type { BackupManifest } from '../../../../src/core/repo/transfer/backup-manifest.ts';
import { decodeManifest, encodeManifest } from '../../../../src/core/repo/transfer/backup-manifest.ts';

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
  test('is read as it was written', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  test.each<[string, (manifest: Record<string, unknown>) => void]>([
    ['a list', (m) => void (m['files'] = [])],
    ['no database', (m) => void (m['files'] = {})],
    ['no account', (m) => void delete m['did']],
    ['no DID', (m) => void (m['did'] = 'alice')],
    ['a head that is a number', (m) => void (m['head'] = 1)],
    ['no counts', (m) => void delete m['counts']],
    ['a count that is none', (m) => void (m['counts'] = { ...manifest.counts, blobs: -1 })],
    ['a version that is none', (m) => void (m['version'] = '1')],
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
    ['a size that is none', (m) => void (m['files'] = { 'pds.db': { ...file, size: 1.5 } })],
    ['a hash that is none', (m) => void (m['files'] = { 'pds.db': { ...file, sha256: 'AB'.repeat(32) } })],
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
});
