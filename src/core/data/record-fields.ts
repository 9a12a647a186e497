/**
 * Rules of the data model for the fields of maps: `$type` is the name of a type, a blob is complete, and `$link` and
 * `$bytes` occur only in the JSON form. https://atproto.com/specs/data-model
 */
import { isBlobRef } from './blob-ref.ts';
import type { PlainMap } from './plain-map.ts';
import { isPlainMap } from './plain-map.ts';
import type { ValuePath } from './value-path.ts';
import { valueFault } from './value-fault.ts';

const BLOB_FIELDS = 4;

/**
 * Checks the fields of one map. Does not check nested values.
 * @throws {RepoError} `InvalidRecord` when the fields of this map break a rule.
 */
export const assertMapFields = (map: PlainMap, path: ValuePath): void => {
  const { $type, $link, $bytes } = map;
  if ($link !== undefined || $bytes !== undefined) {
    const key = $link === undefined ? '$bytes' : '$link';
    throw valueFault(`a map with the key ${key}`, path, `rename the key: ${key} is the JSON form of another value`);
  }
  if ($type === undefined) {
    return;
  }
  if (typeof $type !== 'string' || $type === '') {
    throw valueFault('an invalid $type', path, 'use the name of a type', $type);
  }
  if ($type === 'blob' && !(isBlobRef(map) && Object.keys(map).length === BLOB_FIELDS)) {
    throw valueFault('an incomplete blob', path, 'give it exactly $type, ref (a raw CID), mimeType and size');
  }
};

const walk = (value: unknown, path: (string | number)[]): void => {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  const isArray = Array.isArray(value);
  if (!isArray && !isPlainMap(value)) {
    return;
  }
  if (!isArray) {
    assertMapFields(value, path);
  }
  for (const key of Object.keys(value)) {
    path.push(key);
    walk((value as PlainMap)[key], path);
    path.pop();
  }
};

/**
 * Checks every map in a value that `encodeCbor` or `decodeCbor` accepted, so its depth is bounded. For new records
 * only: stored records are returned unchanged.
 * @throws {RepoError} `InvalidRecord`, with the path of the map.
 */
export const assertRecordFields = (value: unknown): void => walk(value, []);
