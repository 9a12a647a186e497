/** `test/vectors/` is complete and unchanged, and each source has its licence. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { filesBelow } from './house/sources.ts';
import { vectorBytes, vectorNames, vectorText } from './vectors.ts';

const sumOf = (path: string): string => createHash('sha256').update(vectorBytes(path)).digest('hex');

describe('test/vectors', () => {
  const lines = vectorText('SHA256SUMS').trimEnd().split('\n');
  const expected = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  const present = filesBelow('test/vectors')
    .map((path) => path.slice('test/vectors/'.length))
    .filter((path) => path !== 'README.md' && path !== 'SHA256SUMS');

  test('has the files of SHA256SUMS, and no others', () => {
    expect(expected.size).toBeGreaterThan(180);
    expect(present.sort()).toEqual([...expected.keys()].sort());
  });

  test('has unchanged files', () => {
    expect(present.filter((path) => sumOf(path) !== expected.get(path))).toEqual([]);
  });

  test('names a source and a licence text for each folder', () => {
    const table = vectorText('README.md').matchAll(/^\| `(\S+)\/` \|.*\]\(https:.*\]\(licenses\/(\S+)\)/gm);
    const rows = [...table].map(([, folder, licence]) => [folder, licence] as const);
    const folders = new Set(present.map((path) => path.split('/')[0]));
    folders.delete('licenses');
    expect(rows.map(([folder]) => folder).sort()).toEqual([...folders].sort());
    const texts = vectorNames('licenses', /\.txt$/);
    expect([...new Set(rows.map(([, licence]) => licence))].sort()).toEqual(texts);
    for (const text of texts) {
      expect(vectorText(`licenses/${text}`)).toMatch(/^Copyright \(c\) \d{4}|^CC0 1\.0 Universal$/m);
    }
  });

  test('throws for a missing file or an empty choice', () => {
    expect(() => vectorBytes('repos/missing.car')).toThrow('ENOENT');
    expect(() => vectorNames('repos', /^missing/)).toThrow('test/vectors/repos');
  });
});
