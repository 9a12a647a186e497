/** Links, bytes and blobs in the forms of other packages and of JSON. */
import type { PlainMap } from './plain-map.ts';
import { isPlainMap } from './plain-map.ts';

/** Exactly one member is set. */
export interface ForeignValue {
  /** The text of a CID. */
  readonly link?: string;
  /** Base64. */
  readonly bytes?: string;
  readonly blob?: PlainMap;
}

/** Returns whether an object is a class instance, or a map with one key. */
const isWrapper = (value: object): boolean => !isPlainMap(value) || Object.keys(value).length === 1;

/**
 * Returns the meaning of an object that is not in the data model: `{ "$link": … }` and `{ "$bytes": … }` of the JSON
 * form, `CidLink` and `Bytes` of `@atcute`, or `BlobRef` of `@atproto/lexicon`. Returns `undefined` for other objects.
 */
export const foreignValue = (value: object): ForeignValue | undefined => {
  const { $link, $bytes, ref, mimeType, size, original } = value as Record<string, unknown>;
  if ($link !== undefined) {
    return typeof $link === 'string' && isWrapper(value) ? { link: $link } : undefined;
  }
  if ($bytes !== undefined) {
    return typeof $bytes === 'string' && isWrapper(value) ? { bytes: $bytes } : undefined;
  }
  if (original === undefined || ref === undefined || isPlainMap(value)) {
    return undefined;
  }
  // That class has the size -1 for a blob of the old form, which the encoder rejects.
  return { blob: { $type: 'blob', ref, mimeType, size } };
};
