/** The syntax vectors of https://github.com/bluesky-social/atproto-interop-tests. */
import { readFileSync } from 'node:fs';
import { isAtUriString, isValidHandle } from '@atproto/syntax';
import { describe, expect, test } from 'vitest';
import { parseCid } from '../../src/core/cid.ts';
import type { RepoErrorCode } from '../../src/core/errors.ts';
import { RepoError, isRepoError } from '../../src/core/errors.ts';
import { assertCollection, assertDid, assertRecordKey } from '../../src/core/syntax.ts';
import { parseTid } from '../../src/core/tid.ts';
import { fixtures, hasFixtures } from '../fixtures.ts';

/** A line is a case, blanks at its ends included. */
const read = (name: string): string[] =>
  hasFixtures
    ? readFileSync(fixtures(`interop/syntax/${name}.txt`), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('# '))
    : [];

const orRefuse = (isValid: (text: string) => boolean) => (text: string): void => {
  if (!isValid(text)) {
    throw new RepoError('Malformed', text);
  }
};

const KINDS: readonly (readonly [name: string, check: (text: string) => unknown, code: RepoErrorCode])[] = [
  ['did', assertDid, 'InvalidDid'],
  ['nsid', assertCollection, 'InvalidCollection'],
  ['recordkey', assertRecordKey, 'InvalidRecordKey'],
  ['tid', parseTid, 'Malformed'],
  // These two are the library's own, and are here for the day when it is replaced.
  ['aturi', orRefuse((text) => isAtUriString(text)), 'Malformed'],
  ['handle', orRefuse(isValidHandle), 'Malformed'],
];

const codeOf = (check: (text: string) => unknown, text: string): string => {
  try {
    check(text);
    return 'accepted';
  } catch (error) {
    return isRepoError(error) ? error.code : String(error);
  }
};

describe.skipIf(!hasFixtures)(`syntax vectors${hasFixtures ? '' : ' (skipped: the folder of vectors is not there)'}`, () => {
  describe.each(KINDS)('%s', (name, check, code) => {
    test('accepts every valid one', () => {
      const lines = read(`${name}_syntax_valid`);
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => codeOf(check, line) !== 'accepted')).toEqual([]);
    });

    test('refuses every invalid one', () => {
      const lines = read(`${name}_syntax_invalid`);
      expect(lines.length).toBeGreaterThan(5);
      expect(lines.filter((line) => codeOf(check, line) !== code)).toEqual([]);
    });
  });

  describe('cid', () => {
    /**
     * The syntax of the lexicon format `cid` is wider than what a repository holds: any base, codec and hash. Ours are
     * of the blessed kind alone (base32, dag-cbor or raw, SHA-256), and none of the valid vectors happens to be one.
     */
    const OF_ANOTHER_KIND: readonly (readonly [text: string, why: string])[] = [
      ['bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi', 'dag-pb'],
      ['zdj7WWeQ43G6JJvLWQWZpyHuAMq6uYWRjkBXFad11vE2LHhQ7', 'base58'],
      ['bafybeie5gq4jxvzmsym6hjlwxej4rwdoxt7wadqvmmwbqi7r27fclha2va', 'dag-pb'],
      ['mBcDxtdWx0aWhhc2g+', 'base64'],
      ['z7x3CtScH765HvShXT', 'base58'],
      ['zdj7WhuEjrB52m1BisYCtmjH1hSKa7yZ3jEZ9JcXaFRD51wVz', 'base58'],
      ['7134036155352661643226414134664076', 'base8'],
      ['f017012202c5f688262e0ece8569aa6f94d60aad55ca8d9d83734e4a7430d0cff6588ec2b', 'base16'],
    ];

    test('refuses the valid ones of another kind, which are all of them', () => {
      expect(read('cid_syntax_valid').toSorted()).toEqual(OF_ANOTHER_KIND.map(([text]) => text).toSorted());
    });

    test.each(OF_ANOTHER_KIND)('refuses %s, which is %s', (text) => {
      expect(codeOf(parseCid, text)).toBe('Malformed');
    });

    test('refuses every invalid one', () => {
      const lines = read('cid_syntax_invalid');
      expect(lines.length).toBeGreaterThan(5);
      expect(lines.filter((line) => codeOf(parseCid, line) !== 'Malformed')).toEqual([]);
    });
  });
});
