import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { expect, test } from 'vitest';
import { decodeCarHeader, encodeCarHeader, MAX_CAR_ROOTS } from '../../../src/core/car/header.ts';
import { CODEC_RAW, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import { blockOf } from './raw-car.ts';

const { cid } = blockOf({});
const raw = cidOf(CODEC_RAW, new Uint8Array(0));
const malformed = expect.toSatisfy((error) => isRepoError(error, 'Malformed'));

test('has one form', () => {
  const bytes = encodeCarHeader(cid);
  expect(Buffer.from(bytes).toString('hex')).toBe(
    `a265726f6f747381d82a582500${Buffer.from(cid.bytes).toString('hex')}6776657273696f6e01`,
  );
  expect(encodeCarHeader([cid])).toEqual(bytes);
});

test.each([[[]], [[cid]], [[cid, raw]], [Array.from({ length: MAX_CAR_ROOTS }, () => cid)]])(
  'roots are decoded in their order',
  (roots) => {
    expect(decodeCarHeader(encodeCarHeader(roots)).map(cidToText)).toEqual(roots.map(cidToText));
  },
);

test('only a CID of the blessed kind is a root', () => {
  const foreign = CID.createV1(0x70, create(0x12, new Uint8Array(32)));
  const old = CID.createV0(create(0x12, new Uint8Array(32)) as never);
  for (const root of [foreign, old, undefined, 'text', { bytes: cid.bytes }]) {
    expect(() => encodeCarHeader(root as never)).toThrow(TypeError);
    expect(() => encodeCarHeader([cid, root] as never)).toThrow(TypeError);
  }
});

test('the error of the CBOR decoder is the cause', () => {
  expect(() => decodeCarHeader(Uint8Array.of(0xa1))).toThrow(malformed);
  try {
    decodeCarHeader(Uint8Array.of(0xa1));
  } catch (error) {
    expect((error as Error).cause).toEqual(malformed);
  }
});

test('names of Object.prototype are not fields', () => {
  expect(() => decodeCarHeader(encodeCbor({ constructor: 1, roots: [] }))).toThrow(malformed);
  expect(() => decodeCarHeader(encodeCbor(Object.fromEntries([['__proto__', 1]])))).toThrow(malformed);
});
