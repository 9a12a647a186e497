import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import {
  createCommit,
  decodeCommit,
  encodeCommit,
  unsignedBytes,
  verifyCommit,
} from '../../../src/core/repo/commit.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import type { RepoErrorCode } from '../../../src/core/errors.ts';
import { CURVES } from '../../../src/core/crypto/keys.ts';
import type { Signer } from '../../../src/core/crypto/signer.ts';
import { generateKey, importKey } from '../../../src/core/crypto/signing-key.ts';
import { ZERO_TID, parseTid } from '../../../src/core/syntax/tid.ts';

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const rev = parseTid('3k67up3j7hf2x');
const data = cidOf(CODEC_DAG_CBOR, encodeCbor({ e: [], l: null }));
const prev = cidOf(CODEC_DAG_CBOR, encodeCbor({ version: 3 }));
const raw = cidOf(CODEC_RAW, new Uint8Array(0));
const key = importKey(new Uint8Array(32).fill(3));
const code = (name: RepoErrorCode): unknown => expect.toSatisfy((error) => isRepoError(error, name));

const sig = new Uint8Array(64).fill(5);
const v3 = { did, version: 3, data, rev, prev: null, sig };
const v2 = { did, version: 2, data, prev, sig };

/** `fields` with some of them changed, and some (`undefined`) left out, as canonical CBOR. */
const commitWith = (fields: object, changes: object = {}): Uint8Array => encodeCbor({ ...fields, ...changes });

describe('reads, and writes back byte for byte', () => {
  test.each<[string, Uint8Array, object]>([
    ['version 3', commitWith(v3), { ...v3 }],
    ['version 3 with a prev', commitWith(v3, { prev }), { ...v3, prev }],
    ['version 3 without a sig', commitWith(v3, { sig: undefined }), { ...v3, sig: undefined }],
    ['version 3 with the least rev', commitWith(v3, { rev: ZERO_TID }), { ...v3, rev: ZERO_TID }],
    ['version 2', commitWith(v2), { ...v2, rev: ZERO_TID }],
    ['version 2 without a prev', commitWith(v2, { prev: null }), { ...v2, rev: ZERO_TID, prev: null }],
    ['version 2 with a rev', commitWith(v2, { rev }), { ...v2, rev }],
    ['did:web', commitWith(v3, { did: 'did:web:example.com' }), { ...v3, did: 'did:web:example.com' }],
  ])('%s', (_, bytes, expected) => {
    const commit = decodeCommit(bytes);
    expect(commit).toEqual(expected);
    expect(encodeCommit(commit)).toEqual(bytes);
  });

  test('the exact bytes of one', () => {
    const bytes = Buffer.from(commitWith({ ...v3, sig: undefined })).toString('hex');
    const link = `d82a582500${Buffer.from(data.bytes).toString('hex')}`;
    const text = (value: string): string => Buffer.from(value).toString('hex');
    expect(bytes).toBe(
      `a5${'63'}${text('did')}7820${text(did)}63${text('rev')}6d${text(rev)}64${text('data')}${link}64${text('prev')}f667${text('version')}03`,
    );
  });
});

describe('rejects', () => {
  const withoutTag = (): Uint8Array => {
    const bytes = commitWith(v3);
    return bytes.subarray(0, bytes.length - 1);
  };
  test.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array(0)],
    ['cut bytes', withoutTag()],
    ['bytes after it', concatBytes([commitWith(v3), Uint8Array.of(0)])],
    ['a list', encodeCbor([v3])],
    ['text', encodeCbor('commit')],
    ['null', encodeCbor(null)],
    ['a link', encodeCbor(data)],
    ['a record', encodeCbor({ $type: 'app.bsky.feed.post', text: '' })],
    ['a tree node', encodeCbor({ e: [], l: null })],
    ['version 1', commitWith(v3, { version: 1 })],
    ['version 4', commitWith(v3, { version: 4 })],
    ['version as text', commitWith(v3, { version: '3' })],
    ['no version', commitWith(v3, { version: undefined })],
    ['no did', commitWith(v3, { did: undefined })],
    ['a did that is empty', commitWith(v3, { did: '' })],
    ['a did that climbs', commitWith(v3, { did: '../../etc/passwd' })],
    ['a did that climbs further on', commitWith(v3, { did: 'did:plc:../../etc/passwd' })],
    ['a did with a NUL', commitWith(v3, { did: `${did}\0` })],
    ['a did with a line end', commitWith(v3, { did: `${did}\n` })],
    ['a did in upper case', commitWith(v3, { did: did.toUpperCase() })],
    ['a did of 10 kB', commitWith(v3, { did: `did:plc:${'a'.repeat(10_000)}` })],
    ['a did that is a number', commitWith(v3, { did: 5 })],
    ['no data', commitWith(v3, { data: undefined })],
    ['null for data', commitWith(v3, { data: null })],
    ['data as text', commitWith(v3, { data: cidToText(data) })],
    ['raw data', commitWith(v3, { data: raw })],
    ['no rev', commitWith(v3, { rev: undefined })],
    ['a rev that is no TID', commitWith(v3, { rev: '0000000000000' })],
    ['a rev with its top bit set', commitWith(v3, { rev: 'zzzzzzzzzzzzz' })],
    ['a rev of 14 characters', commitWith(v3, { rev: `${rev}2` })],
    ['a rev that is a number', commitWith(v3, { rev: 5 })],
    ['null for rev', commitWith(v2, { rev: null })],
    ['version 2 with ZERO_TID as its rev', commitWith(v2, { rev: ZERO_TID })],
    ['no prev', commitWith(v3, { prev: undefined })],
    ['no prev in version 2', commitWith(v2, { prev: undefined })],
    ['prev as text', commitWith(v3, { prev: cidToText(prev) })],
    ['a raw prev', commitWith(v3, { prev: raw })],
    ['false for prev', commitWith(v3, { prev: false })],
    ['null for sig', commitWith(v3, { sig: null })],
    ['an empty sig', commitWith(v3, { sig: new Uint8Array(0) })],
    ['a sig of 63 bytes', commitWith(v3, { sig: new Uint8Array(63) })],
    ['a sig of 65 bytes', commitWith(v3, { sig: new Uint8Array(65) })],
    ['a sig of 71 bytes, as DER has', commitWith(v3, { sig: new Uint8Array(71) })],
    ['a sig as text', commitWith(v3, { sig: 'a'.repeat(64) })],
    ['no sig in version 2', commitWith(v2, { sig: undefined })],
    ['another field', commitWith(v3, { blobs: [] })],
    ['a field of a prototype', commitWith(v3, { toString: 1 })],
  ])('%s', (_, bytes) => {
    expect(() => decodeCommit(bytes)).toThrow(code('Malformed'));
    expect(() => unsignedBytes(bytes)).toThrow(code('Malformed'));
    expect(() => verifyCommit(bytes, key.did())).toThrow(code('Malformed'));
  });

  test('links of another kind, as CBOR of others writes them', () => {
    const foreign = CID.createV1(0x70, create(0x12, data.multihash.digest));
    const bytes = Buffer.from(commitWith(v3)).toString('hex');
    const hex = (cid: CID): string => Buffer.from(cid.bytes).toString('hex');
    const wrong = new Uint8Array(Buffer.from(bytes.replace(hex(data), hex(foreign)), 'hex'));
    expect(() => decodeCommit(wrong)).toThrow(code('Malformed'));
  });

  test('another encoding of the same commit', () => {
    const hex = Buffer.from(commitWith(v3)).toString('hex');
    // `version` first; the version in two bytes; a map of indefinite length.
    const version = '6776657273696f6e03';
    const map = hex.slice(2);
    const others = [
      `a6${version}${map.replace(version, '')}`,
      hex.replace(version, '6776657273696f6e1803'),
      `bf${map}ff`,
      `a7${map}${version}`,
    ];
    for (const other of others) {
      expect(() => decodeCommit(new Uint8Array(Buffer.from(other, 'hex')))).toThrow(code('Malformed'));
    }
  });

  test('the error of the decoder is the cause', () => {
    for (const bytes of [Uint8Array.of(0xa1), commitWith(v3, { did: 'x' })]) {
      expect(() => decodeCommit(bytes)).toThrow(expect.toSatisfy((error: Error) => isRepoError(error.cause)));
    }
  });
});

test('the signed bytes are the commit without its sig', () => {
  for (const fields of [v3, { ...v3, prev }, v2, { ...v2, rev }]) {
    const bytes = commitWith(fields);
    expect(unsignedBytes(bytes)).toEqual(commitWith(fields, { sig: undefined }));
    expect(unsignedBytes(decodeCommit(bytes))).toEqual(unsignedBytes(bytes));
  }
});

test('a decoded commit does not keep its bytes in memory', () => {
  const bytes = commitWith(v3);
  const commit = decodeCommit(bytes);
  bytes.fill(0);
  expect(commit).toEqual(v3);
});

describe('makes', () => {
  test.each(CURVES)('a signed commit (%s)', async (curve) => {
    const signer = generateKey(curve);
    const { cid, bytes, commit } = await createCommit({ did, data, rev }, signer);
    expect(commit).toEqual({ did, version: 3, data, rev, prev: null, sig: expect.any(Uint8Array) });
    expect(decodeCommit(bytes)).toEqual(commit);
    expect(cidToText(cid)).toBe(cidToText(cidOf(CODEC_DAG_CBOR, bytes)));
    expect(decodeCbor(bytes)).toHaveProperty('prev', null);
    expect([verifyCommit(bytes, signer.did()), verifyCommit(commit, signer.did())]).toEqual([true, true]);
    expect(verifyCommit(bytes, generateKey(curve).did())).toBe(false);
  });

  test('an unsigned commit', async () => {
    const { bytes, commit } = await createCommit({ did, data, rev });
    expect(commit).toEqual({ did, version: 3, data, rev, prev: null });
    expect(decodeCommit(bytes)).toEqual(commit);
    expect(bytes).toEqual(commitWith(v3, { sig: undefined }));
    expect(verifyCommit(bytes, key.did())).toBe(false);
  });

  test('one that no longer verifies once any field is changed', async () => {
    const { commit } = await createCommit({ did, data, rev }, key);
    const changes = [
      { did: 'did:web:example.com' },
      { data: prev },
      { rev: parseTid('3k67up3j7hf2y') },
      { prev },
      { version: 2 as const },
    ];
    for (const change of changes) {
      expect(verifyCommit({ ...commit, ...change }, key.did())).toBe(false);
    }
  });

  test('no commit of invalid parts, and does not call the signer', async () => {
    let asked = 0;
    const signer: Signer = {
      sign: (bytes) => {
        asked++;
        return key.sign(bytes);
      },
    };
    await expect(createCommit({ did: 'did:plc', data, rev }, signer)).rejects.toThrow(code('InvalidDid'));
    await expect(createCommit({ did, data: raw, rev }, signer)).rejects.toThrow(code('Malformed'));
    await expect(createCommit({ did, data, rev: 'now' as never }, signer)).rejects.toThrow(code('Malformed'));
    expect(asked).toBe(0);
  });

  describe('no commit with a signature that', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = (signature: Uint8Array): Uint8Array => {
      const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
      return concatBytes([
        signature.subarray(0, 32),
        new Uint8Array(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')),
      ]);
    };
    const cases: [string, (signature: Uint8Array) => unknown][] = [
      ['has 63 bytes', (signature) => signature.subarray(1)],
      ['has 65 bytes', (signature) => concatBytes([signature, Uint8Array.of(0)])],
      ['is no bytes', () => 'signature'],
      ['is nothing', () => undefined],
      ['has a high s', highS],
    ];
    for (const [withKey, signerDid] of [
      ['', undefined],
      [' (with its did)', () => key.did()],
    ] as const) {
      test.each(cases)(`%s${withKey}`, async (_, change) => {
        const sign: Signer['sign'] = async (bytes) => change(await key.sign(bytes)) as Uint8Array;
        const signer: Signer = signerDid === undefined ? { sign } : { sign, did: signerDid };
        await expect(createCommit({ did, data, rev }, signer)).rejects.toThrow(code('InvalidSignature'));
      });
    }

    test('is not of the key that the signer names', async () => {
      const signer: Signer = { sign: (bytes) => key.sign(bytes), did: () => generateKey().did() };
      await expect(createCommit({ did, data, rev }, signer)).rejects.toThrow(code('InvalidSignature'));
    });
  });

  test('one with a signer that names no key, whose signature is then taken at its word', async () => {
    const { bytes } = await createCommit({ did, data, rev }, { sign: (unsigned) => key.sign(unsigned) });
    expect(verifyCommit(bytes, key.did())).toBe(true);
  });

  test('an error of the signer is thrown unchanged', async () => {
    const error = new Error('the key is on another machine');
    await expect(createCommit({ did, data, rev }, { sign: () => Promise.reject(error) })).rejects.toBe(error);
    const stranger: Signer = { sign: (bytes) => key.sign(bytes), did: () => 'did:key:zUnknown' };
    await expect(createCommit({ did, data, rev }, stranger)).rejects.toThrow(code('UnknownKey'));
  });

  test('a sig of its own: the signer may use its bytes again', async () => {
    let signature = new Uint8Array(0);
    const signer: Signer = {
      async sign(bytes) {
        signature = await key.sign(bytes);
        return signature;
      },
    };
    const { commit } = await createCommit({ did, data, rev }, signer);
    signature.fill(0);
    expect(verifyCommit(commit, key.did())).toBe(true);
  });
});
