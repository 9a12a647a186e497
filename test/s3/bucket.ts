/** Direct calls to the real S3 server, without the code under test except its parser of XML. */
import { AwsClient } from 'aws4fetch';
import type { S3Options } from '../../src/adapters/s3/options.ts';
import { keyPath } from '../../src/adapters/s3/options.ts';
import { childText, childrenOf, parseXml } from '../../src/adapters/s3/xml.ts';

export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An empty part of a bucket, without the code under test. Keys are relative to it. */
export interface Bucket {
  readonly options: S3Options;
  call(method: string, key?: string, query?: Readonly<Record<string, string>>, init?: RequestInit): Promise<Response>;
  put(key: string, body: Uint8Array<ArrayBuffer> | string): Promise<void>;
  /** Begins a multipart upload, and sends one part. */
  beginUpload(key: string): Promise<void>;
  keys(): Promise<string[]>;
  /** Returns the keys of multipart uploads that are not complete. */
  uploads(): Promise<string[]>;
}

export type MakeBucket = (more?: Partial<S3Options>) => Promise<Bucket>;

export const newBucketName = (): string => `pdsdb-${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;

/**
 * Returns a function that returns an empty part of one bucket. To make a bucket takes 0.3 s.
 * @param existing The name of an existing empty bucket. Default: it is made.
 */
export const createBuckets = (server: S3Server, existing?: string): MakeBucket => {
  const client = new AwsClient({ ...server, service: 's3', retries: 0 });
  const name = existing ?? newBucketName();
  let made: Promise<unknown> | undefined = existing === undefined ? undefined : Promise.resolve();
  let count = 0;
  const request = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await client.fetch(`${server.endpoint}/${name}${path}`, { ...init, method });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response;
  };

  return async ({ prefix = '', ...more } = {}) => {
    await (made ??= request('PUT', ''));
    const root = `${count++}/`;
    const call: Bucket['call'] = (method, key, query = {}, init = {}) =>
      request(method, `${key === undefined ? '' : `/${keyPath(root + key)}`}?${new URLSearchParams(query)}`, init);
    const list = async (query: Readonly<Record<string, string>>, element: string): Promise<string[]> => {
      const xml = parseXml(await (await call('GET', undefined, { ...query, prefix: root })).text());
      return childrenOf(xml, element).map((one) => childText(one, 'Key')!.slice(root.length));
    };
    return {
      options: { ...server, bucket: name, prefix: root + prefix, retries: 2, ...more },
      call,
      async put(key, body) {
        await (await call('PUT', key, {}, { body })).text();
      },
      async beginUpload(key) {
        const xml = parseXml(await (await call('POST', key, { uploads: '' })).text());
        const uploadId = childText(xml, 'UploadId')!;
        await (await call('PUT', key, { uploadId, partNumber: '1' }, { body: 'part' })).text();
      },
      keys: () => list({ 'list-type': '2' }, 'Contents'),
      uploads: () => list({ uploads: '' }, 'Upload'),
    };
  };
};
