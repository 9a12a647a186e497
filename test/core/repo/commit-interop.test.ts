/** Commits of real repositories. The decoder accepts all of them, and they encode to the same bytes. */
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { readCar } from '../../../src/core/car/reader.ts';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { cidEquals, cidToText } from '../../../src/core/data/cid.ts';
import { decodeCommit, encodeCommit, unsignedBytes } from '../../../src/core/repo/commit.ts';
import { vectorBytes } from '../../vectors.ts';

/** Whether a block is meant to be a commit; by its look, and not by the decoder that is tested. */
const looksLikeCommit = (bytes: Uint8Array): boolean => {
  const value = decodeCbor(bytes);
  return typeof value === 'object' && value !== null && 'did' in value && 'data' in value && 'version' in value;
};

const files: [file: string, commits: number, version: 2 | 3][] = [
  ['divy.repo', 1, 2],
  ['fakermaker.repo.car', 143, 2],
  ['greenground.repo.car', 1, 3],
  ['paul_staging.repo.car', 28, 2],
  ['repo_slice.car', 1, 2],
];

describe('commits of real exports', () => {
  test.each(files)('%s', (file, count, version) => {
    const car = readCar(vectorBytes(`repos/${file}`));
    const blocks = [...car];
    const commits = blocks.filter(({ bytes }) => looksLikeCommit(bytes));
    expect(commits).toHaveLength(count);
    expect(commits.map(({ cid }) => cidToText(cid))).toContain(cidToText(car.roots[0]!));
    for (const { bytes } of commits) {
      const commit = decodeCommit(bytes);
      expect(commit.version).toBe(version);
      expect(equalBytes(encodeCommit(commit), bytes)).toBe(true);
      expect(decodeCbor(unsignedBytes(bytes))).toEqual({ ...(decodeCbor(bytes) as object), sig: undefined });
    }
    for (const { bytes } of blocks.filter((block) => !commits.includes(block))) {
      expect(() => decodeCommit(bytes)).toThrow();
    }
    const root = decodeCommit(commits.find(({ cid }) => cidEquals(cid, car.roots[0]))!.bytes);
    expect(root.sig).toHaveLength(64);
  });
});
