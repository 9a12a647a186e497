/** The types of `pdsdb/browser` and `pdsdb/worker`. `npm run check` compiles this. */
import type { Repo } from 'pdsdb';
import type * as browser from 'pdsdb/browser';
import type * as worker from 'pdsdb/worker';
import { expectTypeOf, test } from 'vitest';

test('a repository is a Repo, and opening needs a worker', () => {
  expectTypeOf<typeof browser.createRepo>().returns.resolves.toEqualTypeOf<Repo>();
  expectTypeOf<typeof browser.openRepo>().parameters.toEqualTypeOf<[name: string, options: browser.OpenOptions]>();
  expectTypeOf<typeof browser.openRepo>().returns.resolves.toEqualTypeOf<Repo>();
  expectTypeOf<Record<never, never>>().not.toExtend<browser.OpenOptions>();
});

test('a worker is a Worker, a function that creates one, or the page itself', () => {
  expectTypeOf<Worker>().toExtend<browser.RepoWorker>();
  expectTypeOf<() => Worker>().toExtend<browser.WorkerOptions['worker']>();
  expectTypeOf<typeof worker.createPageWorker>().returns.toExtend<browser.RepoWorker>();
  expectTypeOf<typeof worker.serveRepos>().toBeCallableWith();
});

test('the storage is opfs, indexeddb or auto', () => {
  expectTypeOf<browser.PlaceOptions['storage']>().toEqualTypeOf<'auto' | 'indexeddb' | 'opfs' | undefined>();
});

test('folders are exported and imported', () => {
  expectTypeOf<typeof browser.exportFolder>().returns.toExtend<AsyncIterable<browser.FolderEntry>>();
  expectTypeOf<typeof browser.importFolder>().returns.resolves.toEqualTypeOf<browser.FolderImport>();
});

test('repositories are listed and deleted', () => {
  expectTypeOf<typeof browser.listRepos>().returns.resolves.toEqualTypeOf<browser.KeptRepo[]>();
  expectTypeOf<typeof browser.deleteRepo>().returns.resolves.toEqualTypeOf<void>();
});
