/** The types of `pdsdb/testing`. `npm run check` compiles this. */
import type { BlobStore, BlockStore } from 'pdsdb';
import type * as testing from 'pdsdb/testing';
import { expectTypeOf, test } from 'vitest';

test('a suite is a list of cases over one kind of harness', () => {
  expectTypeOf<typeof testing.blobStoreCases>().toEqualTypeOf<readonly testing.Case<testing.BlobStoreHarness>[]>();
  expectTypeOf<typeof testing.blockStoreCases>().toEqualTypeOf<readonly testing.Case<testing.BlockStoreHarness>[]>();
  expectTypeOf<typeof testing.repoCases>().toEqualTypeOf<readonly testing.Case<testing.RepoHarness>[]>();
  expectTypeOf<testing.Case<number>['run']>().toEqualTypeOf<(harness: number) => Promise<void>>();
});

test('a harness opens the store for the cases', () => {
  expectTypeOf<testing.BlobStoreHarness['open']>().returns.resolves.toExtend<BlobStore>();
  expectTypeOf<testing.BlockStoreHarness['open']>().returns.resolves.toExtend<BlockStore>();
});

test('a skipped case is recognized', () => {
  expectTypeOf<typeof testing.isSkippedCase>().guards.toEqualTypeOf<testing.SkippedCase>();
});
