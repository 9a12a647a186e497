/** Values with CIDs, for `structuredClone`, which does not keep classes. */
import { asCid, cidToText, parseCid } from '../../core/data/cid.ts';
import { isPlainMap } from '../../core/data/plain-map.ts';
import { isArrayBuffer, isBytes, isMap } from '../../core/data/platform-values.ts';

/** No value of ours has a field of this name, so that a map with it is a CID. */
const CID_FIELD = '/';

const mapPlain = (value: object, change: (inner: unknown) => unknown): unknown =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));

/**
 * The value with its CIDs as texts. Bytes that are a part of a larger buffer are copied: a clone of them would carry
 * the whole buffer.
 */
export const pack = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (isBytes(value)) {
    return value.byteLength === value.buffer.byteLength && isArrayBuffer(value.buffer) ? value : new Uint8Array(value);
  }
  const cid = asCid(value);
  if (cid !== undefined) {
    return { [CID_FIELD]: cidToText(cid) };
  }
  if (Array.isArray(value)) {
    return value.map(pack);
  }
  if (isMap(value)) {
    return new Map([...value].map(([key, inner]) => [key, pack(inner)]));
  }
  return isPlainMap(value) ? mapPlain(value, pack) : value;
};

/** What {@link pack} was given. */
export const unpack = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || isBytes(value)) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(unpack);
  }
  if (isMap(value)) {
    return new Map([...value].map(([key, inner]) => [key, unpack(inner)]));
  }
  if (!isPlainMap(value)) {
    return value;
  }
  const { [CID_FIELD]: text } = value as Record<string, unknown>;
  return typeof text === 'string' ? parseCid(text) : mapPlain(value, unpack);
};
