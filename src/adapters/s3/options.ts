/** The options of blobs on an S3 server, their checks, and the names of keys. */
import type { CID } from '../../core/data/cid.ts';
import { CODEC_RAW, cidTextToBytes, cidToText, decodeCid } from '../../core/data/cid.ts';

/** `fetch`, or a function that returns the same. */
export type S3Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Where the blobs are, and how to sign requests. */
export interface S3Options {
  /** The address of the server, such as `https://s3.eu-central-1.amazonaws.com`. The bucket is added to its path. */
  readonly endpoint: string;
  /** The region in the signature, such as `eu-central-1`. Some servers have only `auto` or `us-east-1`. */
  readonly region: string;
  readonly bucket: string;
  /** The first part of every key: folders, each with a slash behind it, such as `blobs/`. Default: none. */
  readonly prefix?: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For temporary keys. */
  readonly sessionToken?: string | undefined;
  /** Default: the `fetch` of the platform. */
  readonly fetch?: S3Fetch | undefined;
  /**
   * Bytes of one part of a large blob. A blob up to this size is stored with one request. Most servers refuse parts
   * of less than 5 MiB. `put` has two parts in memory. Default: 5 MiB.
   */
  readonly partSize?: number | undefined;
  /**
   * Milliseconds that a request may take until its response begins, and then between two chunks of it. A part must be
   * sent in this time. Default: 60,000.
   */
  readonly timeoutMs?: number | undefined;
  /** How often a request is repeated that failed for a reason that passes. Default: 4. */
  readonly retries?: number | undefined;
}

/** Checked options. */
export interface S3Place extends S3Options {
  /** The address of the bucket, without a slash at its end. */
  readonly url: string;
  readonly prefix: string;
  readonly fetch: S3Fetch;
  readonly partSize: number;
  readonly timeoutMs: number;
  readonly retries: number;
}

const PART_SIZE = 5 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
const RETRIES = 4;

/** The largest part of S3. */
const MAX_PART_SIZE = 5 * 1024 ** 3;

const assertText = (name: string, value: unknown): void => {
  // A line break or a space in a credential is a copy of too much, and no header can have it.
  if (typeof value !== 'string' || !/^[!-~]+$/.test(value)) {
    throw new TypeError(`${name} must be a text without spaces: pass it as a string; type=${typeof value}`);
  }
};

const assertCount = (name: string, value: number, least: number, most: number): void => {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be an integer from ${least} to ${most}; ${name}=${value}`);
  }
};

const bucketUrl = (endpoint: string, bucket: string): string => {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch (cause) {
    throw new TypeError(`endpoint must be a URL, such as https://s3.example.com; endpoint=${endpoint}`, { cause });
  }
  if (!/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== '') {
    throw new TypeError('endpoint must be an http or https URL without a user, a query and a fragment');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/${encodeURIComponent(bucket)}`;
};

/** Checks the options and adds the defaults. @throws {TypeError} if one of them is not valid. */
export const s3Place = (options: S3Options): S3Place => {
  const { endpoint, bucket, prefix = '', partSize = PART_SIZE, timeoutMs = TIMEOUT_MS, retries = RETRIES } = options;
  for (const name of ['region', 'bucket', 'accessKeyId', 'secretAccessKey'] as const) {
    assertText(name, options[name]);
  }
  if (options.sessionToken !== undefined) {
    assertText('sessionToken', options.sessionToken);
  }
  // A URL would drop a segment `.` or `..`, and the request would have another key than its signature.
  if (!/^[^/]+$/.test(bucket) || /^\.\.?$/.test(bucket)) {
    throw new TypeError(`bucket must be the name of a bucket, without a slash; bucket=${bucket}`);
  }
  if (prefix !== '' && !/^(?:(?!\.{1,2}\/)[^/\p{Cc}\p{Cs}]+\/)+$/u.test(prefix)) {
    throw new TypeError(`prefix must be folders, each with a slash behind it, such as blobs/; prefix=${prefix}`);
  }
  assertCount('partSize', partSize, 1, MAX_PART_SIZE);
  assertCount('timeoutMs', timeoutMs, 1, 2 ** 31 - 1);
  assertCount('retries', retries, 0, 100);
  return {
    ...options,
    url: bucketUrl(endpoint, bucket),
    prefix,
    // Called without an object, because browsers refuse `fetch` as a method of another one.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    partSize,
    timeoutMs,
    retries,
  };
};

/** The path of a key in a URL. */
export const keyPath = (key: string): string => key.split('/').map(encodeURIComponent).join('/');

/** The first characters of the text of every CID of a blob. */
export const BLOB_NAME_START = 'bafkrei';

/** Returns the CID that a name is the canonical text of, or `undefined` if it is not the CID of a blob. */
export const cidOfName = (name: string): CID | undefined => {
  const bytes = cidTextToBytes(name);
  return bytes?.[1] === CODEC_RAW ? decodeCid(bytes) : undefined;
};

/** Returns the name of a blob, or `undefined` for a CID of another codec. */
export const nameOfCid = (cid: CID): string | undefined => {
  const name = cidToText(cid);
  return cidOfName(name) === undefined ? undefined : name;
};
