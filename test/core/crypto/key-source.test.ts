import { describe, expect, test } from 'vitest';
import type { KeySource } from '../../../src/core/crypto/key-source.ts';
import { MAX_DID_DOCUMENT_LENGTH, toDidKey } from '../../../src/core/crypto/key-source.ts';
import { parseDidKey } from '../../../src/core/crypto/keys.ts';
import { generateKey } from '../../../src/core/crypto/signing-key.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import { base58btc } from 'multiformats/bases/base58';

const unknownKey = expect.toSatisfy((error) => isRepoError(error, 'UnknownKey'));
const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const key = generateKey().did();
const other = generateKey('p256').did();
const multibase = key.slice('did:key:'.length);

/** A document as PLC serves it. */
const documentOf = (method: object, did: string = DID): object => ({
  '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
  id: did,
  alsoKnownAs: ['at://atproto.com'],
  verificationMethod: [
    { id: `${did}#other`, type: 'Multikey', controller: did, publicKeyMultibase: other.slice('did:key:'.length) },
    { id: `${did}#atproto`, type: 'Multikey', controller: did, ...method },
  ],
});
const document = documentOf({ publicKeyMultibase: multibase });

describe('a key is taken from', () => {
  test.each<[string, KeySource]>([
    ['a did:key', key],
    ['a did:key with white space around it', `\n ${key} `],
    ['the publicKeyMultibase of a Multikey', multibase],
    ['a DID document', document],
    ['its JSON', JSON.stringify(document)],
    ['its JSON, indented and with a line end', `${JSON.stringify(document, undefined, 2)}\n`],
    [
      'a document of did:web with a relative id',
      {
        id: 'did:web:a.example',
        verificationMethod: [{ id: '#atproto', type: 'Multikey', publicKeyMultibase: multibase }],
      },
    ],
  ])('%s', (_name, source) => {
    expect(toDidKey(source)).toBe(key);
  });

  test('a document with a key of an older type, which may hold the point uncompressed', () => {
    const { publicKey } = parseDidKey(key);
    const old = documentOf({
      type: 'EcdsaSecp256k1VerificationKey2019',
      publicKeyMultibase: base58btc.encode(publicKey),
    });
    expect(toDidKey(old, DID)).toBe(key);
  });
});

describe('UnknownKey describes the fault of', () => {
  test.each<[string, unknown, RegExp]>([
    ['a document of another account', document, /is of another account.*; expected=did:plc:other id=did:plc:ewvi/],
    ['truncated JSON', '{"id":', /not valid JSON/],
    ['a document without keys', { id: 'did:plc:other' }, /no verification method #atproto/],
    [
      'methods that are not a list',
      { id: 'did:plc:other', verificationMethod: { length: 1 } },
      /no verification method/,
    ],
    [
      'a method of another document',
      {
        id: 'did:plc:other',
        verificationMethod: [{ id: `${DID}#atproto`, type: 'Multikey', publicKeyMultibase: multibase }],
      },
      /no verification method/,
    ],
    [
      'a method without a key',
      { id: 'did:plc:other', verificationMethod: [null, 5, { id: '#atproto', type: 'Multikey' }] },
      /has no type or publicKeyMultibase/,
    ],
    [
      'a type that the protocol does not use',
      documentOf({ type: 'Ed25519VerificationKey2020', publicKeyMultibase: multibase }, 'did:plc:other'),
      /the type of the key is not supported/,
    ],
    ['a text in none of these forms', 'alice.example', /expected .* a DID document .*text=alice.example/],
    ['an empty text', '', /expected .*a did:key, a publicKeyMultibase/],
    ['the DID of an account', DID, /expected .*pass its DID document/],
    ['a damaged multibase', 'z0', /expected .*not base58/],
    ['a damaged did:key', 'did:key:zabc', /expected .*a did:key/],
    ['a text without end', `{${' '.repeat(MAX_DID_DOCUMENT_LENGTH)}}`, /at most 262144 characters/],
  ])('%s', (_name, source, message) => {
    const run = (): string => toDidKey(source as KeySource, 'did:plc:other');
    expect(run).toThrow(unknownKey);
    expect(run).toThrow(message);
  });
});

test.each([undefined, null, 5, true, [key]])('%j is a TypeError', (source) => {
  expect(() => toDidKey(source as never)).toThrow(TypeError);
});
