/** The types of `pdsdb`. `npm run check` compiles this; nothing is checked at run time. */
import type * as core from 'pdsdb';
import { expectTypeOf, test } from 'vitest';

test('CIDs are formatted, parsed and compared', () => {
  expectTypeOf<typeof core.parseCid>().toEqualTypeOf<(text: string) => core.CID>();
  expectTypeOf<typeof core.cidToText>().returns.toEqualTypeOf<string>();
  expectTypeOf<typeof core.cidOf>().returns.toEqualTypeOf<core.CID>();
  expectTypeOf<typeof core.cidEquals>().returns.toEqualTypeOf<boolean>();
});

test('a value is encoded and decoded', () => {
  expectTypeOf<typeof core.encodeCbor>().parameter(0).toEqualTypeOf<unknown>();
  expectTypeOf<typeof core.encodeCbor>().returns.toExtend<Uint8Array<ArrayBuffer>>();
  expectTypeOf<typeof core.decodeCbor>().toBeCallableWith(new Uint8Array());
  expectTypeOf<typeof core.decodeRecord>().returns.toExtend<core.RecordValue>();
});

test('a CAR is read from bytes, and from a stream in batches', () => {
  expectTypeOf<typeof core.readCar>().returns.toEqualTypeOf<core.Car>();
  expectTypeOf<core.Car['roots']>().toEqualTypeOf<readonly core.CID[]>();
  expectTypeOf<typeof core.readCarStream>().returns.resolves.toEqualTypeOf<core.CarStream>();
  expectTypeOf<typeof core.writeCarStream>().returns.toExtend<ReadableStream<Uint8Array>>();
  expectTypeOf<Uint8Array>().toExtend<core.CarSource>();
  expectTypeOf<ReadableStream<Uint8Array>>().toExtend<core.CarSource>();
});

test('an error is recognized by its code', () => {
  expectTypeOf<core.RepoError>().toExtend<Error>();
  expectTypeOf<core.RepoError['code']>().toEqualTypeOf<core.RepoErrorCode>();
  expectTypeOf<'Closed' | 'Corrupt' | 'Locked' | 'RecordExists'>().toExtend<core.RepoErrorCode>();
  expectTypeOf<'NoSuchCode'>().not.toExtend<core.RepoErrorCode>();
  expectTypeOf<typeof core.isRepoError>().guards.toExtend<core.RepoError>();
});

test('a key signs, and a repository needs only a signer', () => {
  expectTypeOf<ReturnType<typeof core.generateKey>>().toExtend<core.Signer>();
  expectTypeOf<ReturnType<typeof core.importKey>>().toExtend<core.Signer>();
});

test('a repository is created over two stores', () => {
  expectTypeOf<typeof core.repoOver>().parameters.toEqualTypeOf<[core.RepoStores]>();
  expectTypeOf<typeof core.repoOver>().returns.toEqualTypeOf<core.Repo>();
  expectTypeOf<core.MemoryBlockStore>().toExtend<core.BlockStore>();
  expectTypeOf<core.MemoryBlobStore>().toExtend<core.BlobStore>();
});

test('the tree is edited by functions over links', () => {
  expectTypeOf<typeof core.insert>().returns.toEqualTypeOf<core.Link>();
  expectTypeOf<typeof core.remove>().returns.toEqualTypeOf<core.Link>();
  expectTypeOf<typeof core.seal>().returns.toEqualTypeOf<core.Sealed>();
  expectTypeOf<typeof core.loadPaths>().returns.resolves.toEqualTypeOf<core.Link>();
});
