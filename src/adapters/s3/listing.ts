/** Lists the objects of a bucket. */
import { compareText } from '../../core/data/bytes.ts';
import type { S3Client } from './client.ts';
import { invalidFailure } from './failure.ts';
import { childText, childrenOf } from './xml.ts';

export interface S3Object {
  readonly key: string;
  readonly size: number;
  /** The time of the last change in milliseconds since 1970, or `undefined` if the server sends none. */
  readonly changedAt: number | undefined;
}

export interface ListObjectsOptions {
  /** The first characters of the keys. */
  readonly prefix: string;
  /** The list starts after this key. */
  readonly after?: string | undefined;
  /** Most objects of the page. Default: those of the server, 1,000. */
  readonly limit?: number | undefined;
  readonly doing: string;
}

export interface ObjectPage {
  readonly objects: readonly S3Object[];
  readonly hasMore: boolean;
}

/** Returns a time in milliseconds since 1970, or `undefined` for a text that is not a time. */
export const timeOf = (text: string | undefined): number | undefined => {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
};

/**
 * Returns one page of a list. The keys ascend, so the last one leads to the next page, also after changes.
 * @throws {RepoError} an `S3Failure`, also for keys that do not ascend: a server must not make a list endless.
 */
export const listObjects = async (client: S3Client, options: ListObjectsOptions): Promise<ObjectPage> => {
  const { prefix, after = '', limit, doing } = options;
  const { xml } = await client.send({
    method: 'GET',
    query: {
      'list-type': '2',
      prefix,
      ...(after === '' ? {} : { 'start-after': after }),
      ...(limit === undefined ? {} : { 'max-keys': String(limit) }),
    },
    doing,
  });
  if (xml?.name !== 'ListBucketResult') {
    throw invalidFailure(doing, 'the response is not a list. Check that the endpoint is an S3 server');
  }
  let last = after;
  const objects = childrenOf(xml, 'Contents').map((element): S3Object => {
    const key = childText(element, 'Key') ?? '';
    const size = Number(childText(element, 'Size') ?? Number.NaN);
    if (!key.startsWith(prefix) || compareText(key, last) <= 0 || !Number.isSafeInteger(size) || size < 0) {
      throw invalidFailure(doing, 'the server lists keys in another order, or without sizes');
    }
    last = key;
    return { key, size, changedAt: timeOf(childText(element, 'LastModified')) };
  });
  const hasMore = childText(xml, 'IsTruncated') === 'true';
  if (hasMore && objects.length === 0) {
    throw invalidFailure(doing, 'the server sent an empty page of a list that continues');
  }
  return { objects, hasMore };
};
