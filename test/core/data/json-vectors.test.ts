/** The data model vectors of https://github.com/bluesky-social/atproto-interop-tests. */
import { describe, expect, test } from 'vitest';
import { decodeCbor, decodeRecord } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import { fromJson, toJson } from '../../../src/core/data/json.ts';
import { vectorJson } from '../../vectors.ts';

interface Vector {
  readonly note: string;
  readonly json: unknown;
}

/** A text is a value of the data model, though no record: that is decided where a record is asked for. */
const NOT_A_RECORD = 'top-level not an object';

const read = <T>(name: string): T[] => vectorJson<T[]>(`interop/data-model/${name}.json`);

describe('data model vectors', () => {
  const whole = read<{ readonly json: unknown; readonly cbor_base64: string; readonly cid: string }>(
    'data-model-fixtures',
  );
  const valid = read<Vector>('data-model-valid');
  const invalid = read<Vector>('data-model-invalid');

  test('are present', () => {
    expect([whole.length, valid.length, invalid.length]).toEqual([3, 5, 12]);
    expect(invalid.some(({ note }) => note === NOT_A_RECORD)).toBe(true);
  });

  test.each(whole)('$cid: from JSON to bytes to a CID, and back', ({ json, cbor_base64, cid }) => {
    const bytes = encodeCbor(fromJson(json));
    expect(Buffer.from(bytes).toString('base64').replace(/=+$/, '')).toBe(cbor_base64);
    expect(cidToText(cidOf(CODEC_DAG_CBOR, bytes))).toBe(cid);
    expect(toJson(decodeCbor(bytes))).toEqual(json);
  });

  test.each(valid)('valid: $note', ({ json }) => {
    expect(toJson(decodeCbor(encodeCbor(fromJson(json))))).toEqual(json);
  });

  test.each(invalid)('invalid: $note', ({ note, json }) => {
    if (note === NOT_A_RECORD) {
      const bytes = encodeCbor(fromJson(json));
      expect(() => decodeRecord(bytes)).toThrow(expect.objectContaining({ code: 'Malformed' }));
    } else {
      expect(() => fromJson(json)).toThrow(expect.objectContaining({ code: 'InvalidRecord' }));
    }
  });
});
