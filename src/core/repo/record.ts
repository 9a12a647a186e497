/** One record on its way in and out: the rules of the data model at the edge of the repository. */
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

/** A record that passes this many bytes does not fit the firehose. https://atproto.com/specs/sync#firehose */
export const MAX_RECORD_SIZE = 1_000_000;

/**
 * Called with the collection and the JSON form of each record that is written, before anything is stored. What it
 * throws is what the write rejects with. It works at once: what it returns is not waited for.
 */
export type Validate = (collection: string, json: JsonObject) => void;

/**
 * A record's bytes with its CID. A value gets its `$type` from the collection; bytes are kept as they are.
 * @throws what `validate` throws.
 */
export const encodeRecord = (collection: string, value: RecordValue | Uint8Array, validate?: Validate): Block => {
  const bytes = isBytes(value) ? new Uint8Array(value) : encodeValue(collection, value);
  if (bytes.length > MAX_RECORD_SIZE) {
    throw new RepoError(
      'RecordTooLarge',
      `a record has at most ${MAX_RECORD_SIZE} bytes; collection=${collection} size=${bytes.length}`,
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
      `blob references of the old form (cid and mimeType) are not written any more; collection=${collection}`,
    );
  }
  validate?.(collection, toJson(decoded) as JsonObject);
  return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
};

const encodeValue = (collection: string, value: RecordValue): Bytes => {
  // Spreading a Map or an ArrayBuffer would leave an empty record in place of what it holds.
  if (typeof value !== 'object' || value === null || !isPlainMap(value)) {
    throw new RepoError('InvalidRecord', `a record is a plain map of the data model; collection=${collection}`);
  }
  return encodeCbor(value.$type === undefined ? { ...value, $type: collection } : value);
};

/** What was given as bytes may be anything; what we have just encoded is decoded too, so that both pass one gate. */
const decodeGiven = (collection: string, bytes: Bytes): RecordValue => {
  try {
    return decodeRecord(bytes);
  } catch (cause) {
    throw new RepoError('InvalidRecord', `${(cause as Error).message}; collection=${collection}`, { cause });
  }
};

/** @throws {RepoError} `Malformed` when the CID says that the record is raw bytes: records are dag-cbor. */
export const assertRecordCid = (cid: CidLike): void => {
  if (bytesOfCid(cid)[1] !== CODEC_DAG_CBOR) {
    throw new RepoError('Malformed', 'a record under a CID of raw bytes');
  }
};

/** @throws {RepoError} `Malformed`, naming the record, when the bytes break the data model. */
export const decodeStored = (path: string, cid: CidLike, bytes: Uint8Array): RecordValue =>
  named(path, cid, () => {
    assertRecordCid(cid);
    return decodeRecord(bytes);
  });

/** Looks at a record as {@link decodeStored} does, and answers nothing. */
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
