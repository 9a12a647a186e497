/**
 * Rules of the data model for the fields of maps: `$type` is the name of a type, a blob is complete, and `$link` and
 * `$bytes` occur only in the JSON form. https://atproto.com/specs/data-model
 */
import { isBlobRef } from './blob-ref.ts';
import { RepoError } from '../errors.ts';
import type { PlainMap } from './plain-map.ts';
import { isPlainMap } from './plain-map.ts';
import type { ValuePath } from './value-path.ts';
import { formatPath } from './value-path.ts';

const BLOB_FIELDS = 4;

/** Returns the fault in the fields of one map, or `undefined`. Does not check nested values. */
const faultOf = (map: PlainMap): string | undefined => {
  const { $type, $link, $bytes } = map;
  if ($link !== undefined || $bytes !== undefined) {
    return 'a map with $link or $bytes, which is the JSON form of a link or of bytes';
  }
  if ($type === undefined) {
    return undefined;
  }
  if (typeof $type !== 'string' || $type === '') {
    return 'a $type that is not the name of a type';
  }
  if ($type === 'blob' && !(isBlobRef(map) && Object.keys(map).length === BLOB_FIELDS)) {
    return 'a blob that is not a ref (a raw CID), a mimeType and a size';
  }
  return undefined;
};

/** @throws {RepoError} `InvalidRecord` when the fields of this map break a rule. */
export const assertMapFields = (map: PlainMap, path: ValuePath): void => {
  const fault = faultOf(map);
  if (fault !== undefined) {
    throw new RepoError('InvalidRecord', `the value is not in the data model: ${fault}; path=${formatPath(path)}`);
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
