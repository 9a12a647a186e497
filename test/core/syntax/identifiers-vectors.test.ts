/** The syntax vectors of https://github.com/bluesky-social/atproto-interop-tests. */
import { isValidAtIdentifier, isValidDatetime, isValidHandle, isValidLanguage, isValidUri } from '@atproto/syntax';
import { describe, expect, test } from 'vitest';
import { parseCid } from '../../../src/core/data/cid.ts';
import type { RepoErrorCode } from '../../../src/core/errors.ts';
import { RepoError, isRepoError } from '../../../src/core/errors.ts';
import { assertCollection, assertDid, assertRecordKey } from '../../../src/core/syntax/identifiers.ts';
import { parseAtUri } from '../../../src/core/syntax/at-uri.ts';
import { parseTid } from '../../../src/core/syntax/tid.ts';
import { vectorNames, vectorText } from '../../vectors.ts';

/** A line is a case, blanks at its ends included. */
const read = (name: string): string[] =>
  vectorText(`interop/syntax/${name}.txt`)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '));

const orRefuse =
  (isValid: (text: string) => boolean) =>
  (text: string): void => {
    if (!isValid(text)) {
      throw new RepoError('Malformed', text);
    }
  };

const KINDS: readonly (readonly [name: string, check: (text: string) => unknown, code: RepoErrorCode])[] = [
  ['did', assertDid, 'InvalidDid'],
  ['nsid', assertCollection, 'InvalidCollection'],
  ['recordkey', assertRecordKey, 'InvalidRecordKey'],
  ['tid', parseTid, 'Malformed'],
  ['aturi', parseAtUri, 'Malformed'],
  // These are the library's own, and are here for the day when it is replaced: no repository needs them.
  ['atidentifier', orRefuse((text) => isValidAtIdentifier(text)), 'Malformed'],
  ['datetime', orRefuse((text) => isValidDatetime(text)), 'Malformed'],
  ['handle', orRefuse(isValidHandle), 'Malformed'],
  ['language', orRefuse(isValidLanguage), 'Malformed'],
  ['uri', orRefuse((text) => isValidUri(text)), 'Malformed'],
];

/**
 * Where `@atproto/syntax` and the vectors disagree. Nothing of pdsdb asks it about languages and URIs: texts in a
 * record are kept as they are. Should a version of the library agree with the vectors, the line has to go.
 */
const DIFFERENCES: readonly (readonly [file: string, text: string, why: string])[] = [
  ['language_syntax_valid', 'X-fr-CH', 'its pattern has the x of a private tag in lower case only'],
  ['language_syntax_valid', 'de-X-foo', 'the same'],
  [
    'language_syntax_invalid',
    'jaja',
    'BCP 47 reserves four letters for languages to come, so that it is well-formed there',
  ],
  ['language_syntax_invalid', 'JA', 'tags have no case in BCP 47, so that it is well-formed there'],
  ['uri_syntax_valid', 'content-type:text/plan', 'its pattern knows no hyphen in a scheme'],
  ['uri_syntax_valid', 'microsoft.windows.camera:thing', 'its pattern knows no dot in a scheme'],
  ['uri_syntax_invalid', `https://example.com/${'x'.repeat(8200)}`, 'it has no limit on the length'],
  // Well-formed, as the library checks; not valid, which takes a look at the subtags.
  ['language_parse_invalid', 'de-DE-1901-1901', 'a variant twice'],
  ['language_parse_invalid', 'en-rozaj-ROZAJ', 'a variant twice, in another case'],
  ['language_parse_invalid', 'en-a-foo-a-bar', 'an extension twice'],
  ['language_parse_invalid', 'en-u-co-phonebk-U-ca-buddhist', 'an extension twice, in another case'],
];

/** Syntax that is right, of what cannot be: a month 13. */
const PARSED: readonly string[] = ['datetime', 'language'];

const differencesOf = (file: string): string[] => DIFFERENCES.filter(([name]) => name === file).map(([, text]) => text);

const codeOf = (check: (text: string) => unknown, text: string): string => {
  try {
    check(text);
    return 'accepted';
  } catch (error) {
    return isRepoError(error) ? error.code : String(error);
  }
};

describe('syntax vectors', () => {
  describe.each(KINDS)('%s', (name, check, code) => {
    test('accepts every valid one', () => {
      const lines = read(`${name}_syntax_valid`);
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => codeOf(check, line) !== 'accepted')).toEqual(differencesOf(`${name}_syntax_valid`));
    });

    test('refuses every invalid one', () => {
      const lines = read(`${name}_syntax_invalid`);
      expect(lines.length).toBeGreaterThan(5);
      expect(lines.filter((line) => codeOf(check, line) !== code)).toEqual(differencesOf(`${name}_syntax_invalid`));
    });
  });

  test.each(KINDS.filter(([name]) => PARSED.includes(name)))(
    '%s refuses what has the form and no meaning',
    (name, check, code) => {
      const lines = read(`${name}_parse_invalid`);
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => codeOf(check, line) !== code)).toEqual(differencesOf(`${name}_parse_invalid`));
    },
  );

  test('every file of the vectors is read', () => {
    const kinds = [...KINDS.map(([name]) => name), 'cid'];
    const files = vectorNames('interop/syntax', /\.txt$/).filter(
      (name) => !kinds.some((kind) => name.startsWith(`${kind}_syntax_`)),
    );
    expect(files.toSorted()).toEqual(PARSED.map((name) => `${name}_parse_invalid.txt`));
  });

  describe('cid', () => {
    /**
     * The syntax of the lexicon format `cid` is wider than what a repository holds: any base, codec and hash. Ours
     * are of the blessed kind alone (base32, dag-cbor or raw, SHA-256), and none of the valid vectors is one.
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
