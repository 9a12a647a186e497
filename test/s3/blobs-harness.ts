/** The harness for the cases of blob stores: one bucket per case. */
import { openS3Blobs } from '../../src/adapters/s3/open-blobs.ts';
import type { BlobStoreHarness } from '../../src/testing/storage/blob-store-harness.ts';
import type { MakeBucket } from './bucket.ts';

/** A text of the form of a blob's CID. */
const SOME_CID = `bafkrei${'a'.repeat(52)}`;

const PREFIX = 'some folder/';

/** @param partSize Small parts test large blobs with few bytes. The server of the tests permits 64 KiB. */
export const makeS3Harness = async (makeBucket: MakeBucket, partSize?: number): Promise<BlobStoreHarness> => {
  const bucket = await makeBucket({ prefix: PREFIX, partSize });
  return {
    async open() {
      const store = await openS3Blobs(bucket.options);
      // Other programs may use the bucket, so an opening alone removes nothing.
      await store.sweep({ olderThanMs: 0 });
      return store;
    },
    keeps: true,
    damage: (cid, bytes) => bucket.put(`${PREFIX}${cid}`, new Uint8Array(bytes)),
    async litter() {
      const name = SOME_CID.replace('bafkrei', '');
      for (const key of [
        'notes.txt',
        'tmp',
        SOME_CID.toUpperCase(),
        `bafyrei${name}`,
        `${SOME_CID.slice(0, -2)}1a`,
        `${SOME_CID}/folder`,
        `${SOME_CID}x`,
        'bafkrei',
        'bafkrei & "ä"',
      ]) {
        await bucket.put(`${PREFIX}${key}`, 'x');
      }
      await bucket.put(SOME_CID, 'x');
      await bucket.put(`${PREFIX}deeper/${SOME_CID}`, 'x');
    },
    async leaveUnfinished() {
      await bucket.put(`${PREFIX}tmp/${'0'.repeat(32)}`, 'half a blo');
      await bucket.beginUpload(`${PREFIX}tmp/${'1'.repeat(32)}`);
    },
    async temporaryFiles() {
      const isTemporary = (key: string): boolean => key.startsWith(`${PREFIX}tmp/`);
      return [...(await bucket.keys()).filter(isTemporary), ...(await bucket.uploads())];
    },
  };
};
