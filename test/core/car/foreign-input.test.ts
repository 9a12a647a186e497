/** Input that is not a CAR is described, by the function and by the errors of all readers. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { describeForeignInput } from '../../../src/core/car/foreign-input.ts';
import { readCar, readCarStream } from '../../../src/core/car/reader.ts';
import { writeCar } from '../../../src/core/car/writer.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { EMPTY_ROOT } from '../../../src/core/mst/node.ts';
import { didOfCar, MemoryBlobStore, MemoryBlockStore, repoOver, verifyCar } from '../../../src/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const tar = (): Uint8Array => {
  const block = new Uint8Array(1024);
  block.set(bytes('alice.car'));
  block.set(bytes('ustar'), 257);
  return block;
};
const SECRET = '11'.repeat(32);
const car = writeCar(cidOf(CODEC_RAW, bytes('x')), []);

const INPUTS: readonly (readonly [string, Uint8Array, string])[] = [
  ['nothing', new Uint8Array(0), 'empty'],
  ['white space', bytes(' \n'), 'only white space'],
  ['a web page', bytes('<!DOCTYPE html><html><title>404</title></html>'), 'a web page (HTML)'],
  ['a web page with a mark before it', bytes('\ufeff\n<html lang="en">'), 'a web page (HTML)'],
  ['a long web page', bytes(`<html>${'<p>text</p>\n'.repeat(10_000)}`), 'a web page (HTML)'],
  ['XML', bytes('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'), 'XML'],
  [
    'an XRPC error',
    bytes('{"error":"RepoNotFound","message":"Could not find repo for DID: did:web:x"}'),
    'the error of a server: RepoNotFound: Could not find repo for DID: did:web:x',
  ],
  ['an XRPC error without a message', bytes('{ "error" : "InvalidRequest" }'), 'the error of a server: InvalidRequest'],
  [
    'a long XRPC error',
    bytes(`{"error":"InternalServerError","message":"${'m'.repeat(10_000)}"}`),
    'the error of a server: InternalServerError',
  ],
  ['JSON', bytes('{"did":"did:web:x"}'), 'JSON'],
  ['a list in JSON', bytes('[1, 2, 3]'), 'JSON'],
  [
    'a response with headers',
    bytes('HTTP/1.1 404 Not Found\r\nserver: x\r\n\r\n'),
    'the response of a server with its headers: HTTP/1.1 404 Not Found',
  ],
  ['gzip', gzipSync(car), 'compressed with gzip; decompress it first'],
  ['bzip2', latin('BZh91AY&SY'), 'compressed with bzip2; decompress it first'],
  ['xz', latin('\u00fd7zXZ\u0000\u0000'), 'compressed with xz; decompress it first'],
  ['zstd', latin('\u0028\u00b5\u002f\u00fd\u0004'), 'compressed with zstd; decompress it first'],
  ['zip', latin('PK\u0003\u0004\u0014\u0000'), 'a zip file; unpack it first'],
  ['tar', tar(), 'a tar file; unpack it first'],
  [
    'SQLite',
    latin('SQLite format 3\u0000\u0010\u0000'),
    'an SQLite database; if it is the pds.db of a repository, open its folder',
  ],
  ['a PNG', latin('\u0089PNG\r\n\u001a\n'), 'an image (PNG)'],
  ['a JPEG', latin('\u00ff\u00d8\u00ff\u00e0\u0000\u0010JFIF'), 'an image (JPEG)'],
  ['a key file', bytes(`secp256k1:${SECRET}\n`), 'a key file'],
  ['a key in digits', bytes(SECRET), 'a key file'],
  ['a PEM key', bytes('-----BEGIN EC PRIVATE KEY-----\nMHc=\n'), 'a key file'],
  ['a did:key', bytes('did:key:zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w'), 'a public key (did:key)'],
  ['a CAR as base64', bytes(Buffer.from(car).toString('base64')), 'a CAR as base64; decode it first'],
  ['a CAR as base64url', bytes(Buffer.from(car).toString('base64url')), 'a CAR as base64; decode it first'],
  ['base64', bytes(Buffer.alloc(3000, 'abc').toString('base64')), 'base64; decode it first'],
  ['a text', bytes('Dear sir or madam,\n'), 'a text'],
];

const fromChunks = async function* (whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) {
    yield whole.subarray(at, at + size);
  }
};
const DID = 'did:web:alice.example';
const emptyRepo = () => repoOver({ did: DID, store: new MemoryBlockStore(DID), blobs: new MemoryBlobStore() });
const refused = (message: string): object =>
  expect.objectContaining({ name: 'RepoError', code: 'Malformed', message: expect.stringContaining(message) });

describe.each(INPUTS)('%s', (_, input, what) => {
  test('is described', () => {
    expect(describeForeignInput(input.subarray(0, 4096))).toContain(what);
  });

  test('is named by every reader, however it is cut', async () => {
    const message = `not a CAR: it is ${what}`;
    expect(() => readCar(input)).toThrow(refused(message));
    for (const size of [1, 7, 100_000]) {
      await expect(readCarStream(fromChunks(input, size))).rejects.toEqual(refused(message));
    }
    await expect(verifyCar(input)).rejects.toEqual(refused(message));
    await expect(didOfCar(input)).rejects.toEqual(refused(message));
    await expect(emptyRepo().importCar(input)).rejects.toEqual(refused(message));
  });
});

test('messages contain no secret and no long text', () => {
  for (const [, input] of INPUTS) {
    const what = describeForeignInput(input)!;
    expect(what).not.toContain('1111');
    expect(what.length).toBeLessThan(500);
  }
});

test('a truncated CAR, or one of another version, keeps its own error', () => {
  expect(describeForeignInput(car)).toBeUndefined();
  expect(() => readCar(car.subarray(0, 20))).toThrow('the CAR ends inside its header: get it again; size=20');
  expect(() => readCar(latin('\u000a\u00a1gversion\u0002'))).toThrow('CAR header has version 2');
});

describe('a root that is not a commit', () => {
  const record = encodeCbor({ $type: 'app.bsky.feed.post', text: 'x' });
  test.each([
    ['a record', CODEC_DAG_CBOR, record, 'a record (app.bsky.feed.post)'],
    ['a node', CODEC_DAG_CBOR, encodeCbor({ e: [], l: null }), 'a node of a tree'],
    ['raw bytes', CODEC_RAW, bytes('a blob'), 'raw bytes, such as a blob'],
    ['a list', CODEC_DAG_CBOR, encodeCbor([1]), 'not a map'],
    ['another map', CODEC_DAG_CBOR, encodeCbor({ a: 1 }), 'a map of another kind'],
  ] as const)('is named: %s', async (_, codec, block, what) => {
    const cid = cidOf(codec, block);
    const whole = writeCar(cid, [{ cid, bytes: block }]);
    const message = `the root of the CAR is ${what}, expected a commit: use the CAR of a repository; cid=${cid.toString()}`;
    await expect(verifyCar(whole)).rejects.toEqual(refused(message));
    await expect(didOfCar(whole)).rejects.toEqual(refused(message));
    await expect(emptyRepo().importCar(whole)).rejects.toEqual(refused(message));
  });

  test('a commit with a fault keeps the sentence about the fault', async () => {
    const bad = encodeCbor({ did: DID, version: 3, data: EMPTY_ROOT, rev: 'x', prev: null });
    const cid = cidOf(CODEC_DAG_CBOR, bad);
    await expect(didOfCar(writeCar(cid, [{ cid, bytes: bad }]))).rejects.toEqual(
      refused('commit has no TID as its rev'),
    );
  });
});
