/** The types of a `Repo`. `npm run check` compiles this; nothing is checked at run time. */
import type * as core from 'pdsdb';
import type { CID, Repo } from 'pdsdb';
import { expectTypeOf, test } from 'vitest';

test('a repository is disposed and closed', () => {
  expectTypeOf<Repo>().toExtend<AsyncDisposable>();
  expectTypeOf<Repo['close']>().toEqualTypeOf<() => Promise<void>>();
});

test('a missing value is undefined, and never null', () => {
  expectTypeOf<Repo['head']>().returns.resolves.toEqualTypeOf<core.Head | undefined>();
  expectTypeOf<Repo['get']>().returns.resolves.toEqualTypeOf<core.FoundRecord | undefined>();
  expectTypeOf<Repo['getBlob']>().returns.resolves.toEqualTypeOf<Blob | undefined>();
  expectTypeOf<Repo['delete']>().returns.resolves.toEqualTypeOf<core.CommitRef | undefined>();
});

test('each action of a write has its own fields', () => {
  expectTypeOf<Repo['write']>().parameter(0).toEqualTypeOf<readonly core.WriteOp[]>();
  expectTypeOf<Repo['write']>().returns.resolves.toEqualTypeOf<core.WriteResult>();
  type At = { readonly collection: string; readonly rkey: string };
  type Value = { readonly value: core.RecordValue };
  expectTypeOf<At & Value & { readonly action: 'create' | 'update' }>().toExtend<core.WriteOp>();
  expectTypeOf<{ readonly collection: string } & Value & { readonly action: 'create' }>().toExtend<core.WriteOp>();
  expectTypeOf<At & { readonly action: 'delete' }>().toExtend<core.WriteOp>();
  expectTypeOf<At & { readonly action: 'update' }>().not.toExtend<core.WriteOp>();
  expectTypeOf<At & { readonly action: 'drop' }>().not.toExtend<core.WriteOp>();
});

test('a swap is a CID, or null for the first commit', () => {
  expectTypeOf<core.WriteOptions['swapCommit']>().toEqualTypeOf<CID | null | undefined>();
});

test('lists and histories are iterated over', () => {
  expectTypeOf<Repo['list']>().returns.toEqualTypeOf<AsyncIterable<core.RecordEntry>>();
  expectTypeOf<Repo['log']>().returns.toEqualTypeOf<AsyncIterable<core.LogEntry>>();
  expectTypeOf<Repo['diff']>().returns.toEqualTypeOf<AsyncIterable<core.RecordChange>>();
  expectTypeOf<Repo['blobs']>().returns.toEqualTypeOf<AsyncIterable<core.StoredBlob>>();
  expectTypeOf<Repo['missingBlobs']>().returns.toEqualTypeOf<AsyncIterable<core.MissingBlob>>();
  expectTypeOf<Repo['backup']>().returns.toEqualTypeOf<AsyncIterable<core.BackupFile>>();
});

test('a tree is checked out, edited and committed', () => {
  expectTypeOf<Repo['checkout']>().parameter(0).toEqualTypeOf<string | CID | undefined>();
  expectTypeOf<Repo['checkout']>().returns.resolves.toEqualTypeOf<core.Tree>();
  expectTypeOf<core.Tree['put']>().returns.resolves.toEqualTypeOf<core.Tree>();
  expectTypeOf<core.Tree['delete']>().returns.resolves.toEqualTypeOf<core.Tree>();
  expectTypeOf<Repo['commit']>().returns.resolves.toEqualTypeOf<core.CommitRef>();
});

test('CARs are imported from any source, and exported as a stream', () => {
  expectTypeOf<Repo['importCar']>().parameter(0).toEqualTypeOf<core.CarSource>();
  expectTypeOf<Repo['importCar']>().returns.resolves.toEqualTypeOf<core.ImportResult>();
  expectTypeOf<Repo['exportCar']>().returns.toEqualTypeOf<ReadableStream<Uint8Array>>();
});

test('results are read-only', () => {
  const repo = {} as Repo;
  // @ts-expect-error -- the account of a repository stays the same.
  void (() => (repo.did = 'did:web:other.example'));
  expectTypeOf<Repo['refs']>().returns.resolves.toEqualTypeOf<ReadonlyMap<string, CID>>();
  expectTypeOf<core.RepoInfo['collections']>().toEqualTypeOf<readonly core.CollectionCount[]>();
});

test('onChange returns a function that removes the listener', () => {
  expectTypeOf<Repo['onChange']>().toEqualTypeOf<(listener: (change: core.HeadChange) => void) => () => void>();
});
