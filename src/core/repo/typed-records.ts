/**
 * Types of records by collection. They are promises of the application: nothing here checks a record against them,
 * unless a repository is opened with `validate`.
 */
import type { BlobRef } from '../data/blob-ref.ts';
import type { CID } from '../data/cid.ts';
import type { JsonValue } from '../data/json.ts';
import type { RecordValue } from './tree.ts';

/**
 * The type of the JSON form of each collection's records: empty, and for an application to fill. It types `getJson`,
 * `listJson`, `create` and `watch`. Unchecked without `validate`.
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
// biome-ignore lint/suspicious/noEmptyInterface: it is for others to fill.
export interface Records {}

/** A collection: one of {@link Records}, or any other. */
export type CollectionName = (keyof Records & string) | (string & {});

/** The JSON form of a record that {@link Records} does not have. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** The JSON form of a record of this collection. */
export type JsonRecordValue<C extends string> = C extends keyof Records ? Records[C] : JsonObject;

/** A record in the JSON form of the data model. All of it can go through `JSON.stringify`. */
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

/** The class `BlobRef` of `@atproto/lexicon`, as far as it is told apart here. */
interface BlobRefClass {
  readonly ref: unknown;
  readonly mimeType: string;
  readonly size: number;
  readonly original: unknown;
}

/** The class `CID` of any version of multiformats, as far as it is told apart here. */
interface CidClass {
  readonly code: number;
  readonly version: number;
  readonly multihash: unknown;
}

/** The JSON form of a type with classes in it, such as those of `@atproto/api`. */
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

/** A type of a JSON form where links, bytes and blobs may also come as CIDs, bytes and what `putBlob` returns. */
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

/** The same, with a `$type` that may be left out: the collection says it. */
type WithoutType<T> = T extends object
  ? { [K in keyof T as K extends '$type' ? never : K]: AsData<T[K]> } & { readonly $type?: string | undefined }
  : T;

/** What `create` takes: a value of the data model or its JSON form, or canonical DAG-CBOR bytes. */
export type RecordInput<C extends string> =
  | (C extends keyof Records ? WithoutType<Records[C]> : RecordValue)
  | Uint8Array;
