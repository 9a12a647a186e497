/** Values with CIDs, for `structuredClone`, which knows nothing of classes. */
import { asCid, cidToText, parseCid } from '../../core/data/cid.ts';

/** No value of ours has a field of this name, so that a map with it is a CID. */
const CID_FIELD = '/';

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

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
  if (value instanceof Uint8Array) {
    return value.byteLength === value.buffer.byteLength && value.buffer instanceof ArrayBuffer
      ? value
      : new Uint8Array(value);
  }
  const cid = asCid(value);
  if (cid !== undefined) {
    return { [CID_FIELD]: cidToText(cid) };
  }
  if (Array.isArray(value)) {
    return value.map(pack);
  }
  if (value instanceof Map) {
    return new Map([...value].map(([key, inner]) => [key, pack(inner)]));
  }
  return isPlain(value) ? mapPlain(value, pack) : value;
};

/** What {@link pack} was given. */
export const unpack = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(unpack);
  }
  if (value instanceof Map) {
    return new Map([...value].map(([key, inner]) => [key, unpack(inner)]));
  }
  if (!isPlain(value)) {
    return value;
  }
  const { [CID_FIELD]: text } = value as Record<string, unknown>;
  return typeof text === 'string' ? parseCid(text) : mapPlain(value, unpack);
};
