/** The types of `pdsdb/s3`. `npm run check` compiles this. */
import type { BlobStore, RepoStores } from 'pdsdb';
import type * as s3 from 'pdsdb/s3';
import { expectTypeOf, test } from 'vitest';

test('the blobs of one repository, and of many', () => {
  expectTypeOf<typeof s3.openS3Blobs>().returns.resolves.toEqualTypeOf<s3.S3BlobStore>();
  expectTypeOf<typeof s3.s3Blobs>().returns.toEqualTypeOf<(did: string) => s3.S3BlobStore>();
  expectTypeOf<s3.S3BlobStore>().toExtend<BlobStore>();
  expectTypeOf<s3.S3BlobStore>().toExtend<RepoStores['blobs']>();
  expectTypeOf<s3.S3BlobStore['sweep']>().returns.resolves.toEqualTypeOf<s3.SweepResult>();
});

test('the options', () => {
  expectTypeOf<typeof fetch>().toExtend<NonNullable<s3.S3Options['fetch']>>();
  type Required = 'accessKeyId' | 'bucket' | 'endpoint' | 'region' | 'secretAccessKey';
  expectTypeOf<Pick<s3.S3Options, Required>>().toExtend<s3.S3Options>();
});
