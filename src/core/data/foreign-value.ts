/** Links, bytes and blobs as other packages hold them, and as JSON does. */
import type { PlainMap } from './plain-map.ts';
import { isPlainMap } from './plain-map.ts';

/** Exactly one of these. */
export interface ForeignValue {
  /** The text of a CID. */
  readonly link?: string;
  /** In base64. */
  readonly bytes?: string;
  readonly blob?: PlainMap;
}

/** Whether an object is an instance of a class, or a map with this key and no other. */
const isWrapper = (value: object): boolean => !isPlainMap(value) || Object.keys(value).length === 1;

/**
 * What an object stands for that is not of the data model itself: `{ "$link": … }` and `{ "$bytes": … }` of the JSON
 * form, the `CidLink` and `Bytes` of `@atcute` whose fields are getters of a class, or a `BlobRef` of
 * `@atproto/lexicon`. `undefined` for any other object.
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
  // A blob of the old form has a size of -1 there, which no record may have.
  return { blob: { $type: 'blob', ref, mimeType, size } };
};
