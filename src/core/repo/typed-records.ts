/** Types of records by collection. They are not checked, unless a repository is opened with `validate`. */
import type { BlobRef } from '../data/blob-ref.ts';
import type { CID } from '../data/cid.ts';
import type { JsonValue } from '../data/json.ts';
import type { RecordValue } from './tree.ts';

/**
 * Types of records in JSON form, by collection. An application adds its types. They apply to `getJson`, `listJson`,
 * `create` and `watch`, and are unchecked without `validate`.
 *
 * @example
 * ```ts
 * import type {} from 'pdsdb';
 *
 * declare module 'pdsdb' {
 *   interface Records {
 *     'com.example.note': { readonly $type: 'com.example.note'; readonly text: string };
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add members.
export interface Records {}

/** A collection of {@link Records}, or any other. */
export type CollectionName = (keyof Records & string) | (string & {});

/** The JSON form of a record without a type in {@link Records}. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** The JSON form of a record of this collection. */
export type JsonRecordValue<C extends string> = C extends keyof Records ? Records[C] : JsonObject;

/** A record in the JSON form of the data model, ready for `JSON.stringify`. */
export interface JsonRecord<C extends string = string> {
  /** `at://did/collection/rkey` */
  readonly uri: string;
  readonly cid: string;
  readonly collection: C;
  readonly rkey: string;
  readonly value: JsonRecordValue<C>;
}

/** A blob in the JSON form of a record. */
export interface JsonBlob {
  readonly $type: 'blob';
  readonly ref: { readonly $link: string };
  readonly mimeType: string;
  readonly size: number;
}

/** The class `BlobRef` of `@atproto/lexicon`, by the fields that identify it. */
interface BlobRefClass {
  readonly ref: unknown;
  readonly mimeType: string;
  readonly size: number;
  readonly original: unknown;
}

/** The class `CID` of any version of multiformats, by the fields that identify it. */
interface CidClass {
  readonly code: number;
  readonly version: number;
  readonly multihash: unknown;
}

/** The JSON form of a type that contains classes, such as those of `@atproto/api`. */
export type JsonForm<T> = T extends Uint8Array
  ? { readonly $bytes: string }
  : T extends CidClass
    ? { readonly $link: string }
    : T extends BlobRefClass
      ? JsonBlob
      : T extends readonly (infer E)[]
        ? readonly JsonForm<E>[]
        : T extends object
          ? { [K in keyof T]: JsonForm<T[K]> }
          : T;

/** A JSON form in which links, bytes and blobs may also be `CID`, `Uint8Array` and {@link BlobRef}. */
type AsData<T> = T extends { readonly $link: string }
  ? CID | T
  : T extends { readonly $bytes: string }
    ? T | Uint8Array
    : T extends JsonBlob
      ? BlobRef | T
      : T extends readonly (infer E)[]
        ? readonly AsData<E>[]
        : T extends object
          ? { [K in keyof T]: AsData<T[K]> }
          : T;

/** The same, with an optional `$type`. */
type WithoutType<T> = T extends object
  ? { [K in keyof T as K extends '$type' ? never : K]: AsData<T[K]> } & { readonly $type?: string | undefined }
  : T;

/** The value for `create`: of the data model, in its JSON form, or as canonical DAG-CBOR bytes. */
export type RecordInput<C extends string> =
  | (C extends keyof Records ? WithoutType<Records[C]> : RecordValue)
  | Uint8Array;
