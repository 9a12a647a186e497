/** Removes uploads that were interrupted. */
import type { S3Client } from './client.ts';
import { invalidFailure } from './failure.ts';
import { listObjects, timeOf } from './listing.ts';
import { abortUpload } from './multipart.ts';
import { deleteObject } from './objects.ts';
import { childText, childrenOf } from './xml.ts';

export interface SweepOptions {
  /** Removes uploads that began more than this many milliseconds ago. Running ones must be younger. Default: a day. */
  readonly olderThanMs?: number | undefined;
}

/** What was removed. */
export interface SweepResult {
  /** Number of unfinished multipart uploads. */
  readonly uploads: number;
  /** Number of temporary objects: uploads that were complete, and not copied or not removed. */
  readonly objects: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const DOING = 'removing interrupted uploads';

const isOld = (time: number | undefined, before: number): boolean => time !== undefined && time <= before;

/** `S3BlobStore.sweep`. */
export const sweepUploads = async (
  client: S3Client,
  prefix: string,
  { olderThanMs = DAY_MS }: SweepOptions = {},
): Promise<SweepResult> => {
  if (!(olderThanMs >= 0)) {
    throw new TypeError(`olderThanMs must be a number from 0; olderThanMs=${olderThanMs}`);
  }
  const before = Date.now() - olderThanMs;
  return {
    uploads: await sweepMultipart(client, prefix, before),
    objects: await sweepObjects(client, prefix, before),
  };
};

const sweepMultipart = async (client: S3Client, prefix: string, before: number): Promise<number> => {
  let count = 0;
  let marker: Readonly<Record<string, string>> = {};
  for (;;) {
    const { xml } = await client.send({ method: 'GET', query: { uploads: '', prefix, ...marker }, doing: DOING });
    if (xml?.name !== 'ListMultipartUploadsResult') {
      throw invalidFailure(DOING, 'the response is not a list of uploads. Check that the endpoint is an S3 server');
    }
    for (const upload of childrenOf(xml, 'Upload')) {
      const [key, id] = [childText(upload, 'Key') ?? '', childText(upload, 'UploadId') ?? ''];
      // A server that ignores the prefix lists the uploads of other programs.
      if (key.startsWith(prefix) && id !== '' && isOld(timeOf(childText(upload, 'Initiated')), before)) {
        await abortUpload(client, key, id, DOING);
        count++;
      }
    }
    if (childText(xml, 'IsTruncated') !== 'true') {
      return count;
    }
    const next = {
      'key-marker': childText(xml, 'NextKeyMarker') ?? '',
      'upload-id-marker': childText(xml, 'NextUploadIdMarker') ?? '',
    };
    // A temporary key has one upload, or two after a lost response, so each page ends with a later key.
    if (next['key-marker'] <= (marker['key-marker'] ?? '')) {
      throw invalidFailure(DOING, 'the server lists uploads in another order');
    }
    marker = next;
  }
};

const sweepObjects = async (client: S3Client, prefix: string, before: number): Promise<number> => {
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const { objects, hasMore } = await listObjects(client, { prefix, after, doing: DOING });
    for (const { key, changedAt } of objects) {
      if (isOld(changedAt, before)) {
        await deleteObject(client, key, DOING);
        count++;
      }
    }
    if (!hasMore) {
      return count;
    }
    after = objects.at(-1)!.key;
  }
};
