/** Encodes and decodes records by the rules of the data model. */
import { blobMentions } from '../data/blob-ref.ts';
import type { Bytes } from '../data/bytes.ts';
import { decodeRecord } from '../data/cbor-decode.ts';
import { encodeCbor } from '../data/cbor-encode.ts';
import type { CidLike } from '../data/cid.ts';
import { CODEC_DAG_CBOR, bytesOfCid, cidOf, cidToText } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import { toJson } from '../data/json.ts';
import type { JsonObject } from './typed-records.ts';
import { isPlainMap } from '../data/plain-map.ts';
import { checkRecord } from '../data/record-check.ts';
import { assertRecordFields } from '../data/record-fields.ts';
import type { RecordValue } from './repo.ts';
import type { Block } from '../blocks/block.ts';
import { isBytes } from '../data/platform-values.ts';

/** The most bytes of a record. A larger one does not fit the firehose. https://atproto.com/specs/sync#firehose */
export const MAX_RECORD_SIZE = 1_000_000;

/**
 * Called with the collection and the JSON form of each record to write, before anything is stored. If it throws, the
 * write rejects with that error. It must be synchronous: a returned promise is ignored.
 */
export type Validate = (collection: string, json: JsonObject) => void;

/**
 * Returns a record's bytes and CID. A value without `$type` gets the collection as its `$type`. Bytes are kept
 * unchanged.
 * @throws {RepoError} `RecordTooLarge`, `InvalidRecord`; the errors of `validate`.
 */
export const encodeRecord = (collection: string, value: RecordValue | Uint8Array, validate?: Validate): Block => {
  const bytes = isBytes(value) ? new Uint8Array(value) : encodeValue(collection, value);
  if (bytes.length > MAX_RECORD_SIZE) {
    throw new RepoError(
      'RecordTooLarge',
      `the record is larger than ${MAX_RECORD_SIZE} bytes: store large data as a blob; collection=${collection} size=${bytes.length}`,
    );
  }
  const decoded = decodeGiven(collection, bytes);
  assertRecordFields(decoded);
  if (decoded.$type !== collection) {
    throw new RepoError('InvalidRecord', `Invalid $type: expected ${collection}, got ${String(decoded.$type)}`);
  }
  if (blobMentions(decoded).some(({ size }) => size < 0)) {
    throw new RepoError(
      'InvalidRecord',
      `cannot write a blob reference of the old form (cid and mimeType): use a BlobRef; collection=${collection}`,
    );
  }
  validate?.(collection, toJson(decoded) as JsonObject);
  return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
};

const encodeValue = (collection: string, value: RecordValue): Bytes => {
  // Spreading a Map or an ArrayBuffer would make an empty record.
  if (typeof value !== 'object' || value === null || !isPlainMap(value)) {
    throw new RepoError(
      'InvalidRecord',
      `the record is not a plain object: pass an object of the data model, or DAG-CBOR bytes; collection=${collection}`,
    );
  }
  return encodeCbor(value.$type === undefined ? { ...value, $type: collection } : value);
};

/** Given bytes may be anything. Bytes that we encoded are decoded too, so that both pass the same checks. */
const decodeGiven = (collection: string, bytes: Bytes): RecordValue => {
  try {
    return decodeRecord(bytes);
  } catch (cause) {
    throw new RepoError('InvalidRecord', `${(cause as Error).message}; collection=${collection}`, { cause });
  }
};

/** @throws {RepoError} `Malformed` when the record's CID is raw; records are dag-cbor. */
export const assertRecordCid = (cid: CidLike): void => {
  if (bytesOfCid(cid)[1] !== CODEC_DAG_CBOR) {
    throw new RepoError('Malformed', 'the record has a CID of raw bytes, expected dag-cbor: write the record again');
  }
};

/** @throws {RepoError} `Malformed`, with path and CID, when the bytes break the data model. */
export const decodeStored = (path: string, cid: CidLike, bytes: Uint8Array): RecordValue =>
  named(path, cid, () => {
    assertRecordCid(cid);
    return decodeRecord(bytes);
  });

/** Checks a record as {@link decodeStored} does, without building its value. */
export const checkStored = (path: string, cid: CidLike, bytes: Uint8Array): void =>
  named(path, cid, () => {
    assertRecordCid(cid);
    checkRecord(bytes);
  });

const named = <T>(path: string, cid: CidLike, run: () => T): T => {
  try {
    return run();
  } catch (cause) {
    throw new RepoError('Malformed', `${(cause as Error).message}; path=${path} cid=${cidToText(cid)}`, { cause });
  }
};
