/**
 * Inside a change, the core reads and writes through the change only. A store over a pool of connections would wait for
 * itself otherwise. Every case of the repository runs over a store that refuses such calls.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import type { BlockChange, BlockStore } from '../../../src/core/storage/ports.ts';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { runCases } from '../../run-cases.ts';

/** The store whose change is being made in this chain of promises. */
const running = new AsyncLocalStorage<BlockStore>();

/** A store that rejects every call that is made inside one of its own changes. */
const guarded = (store: BlockStore): BlockStore =>
  new Proxy(store, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') {
        return member;
      }
      return (...params: unknown[]): unknown => {
        if (running.getStore() === target) {
          throw new Error(`the store is called inside its own change; method=${String(name)}`);
        }
        if (name === 'transact') {
          const run = params[0] as (change: BlockChange) => Promise<unknown>;
          return target.transact((change) => running.run(target, () => run(change)));
        }
        return (member as (...params: unknown[]) => unknown).apply(target, params);
      };
    },
  });

const guardedHarness = (): RepoHarness => ({
  create: async (options) =>
    repoOver({ ...options, store: guarded(new MemoryBlockStore()), blobs: new MemoryBlobStore() }),
  open: () => Promise.reject(new Error('memory keeps nothing')),
  other: guardedHarness,
  forgetful: true,
  noFiles: true,
});

describe('the guard', () => {
  test.each(['ref', 'meta', 'get', 'count', 'cids', 'transact'] as const)(
    'rejects %s inside a change',
    async (name) => {
      await using store = guarded(new MemoryBlockStore());
      const call = store[name].bind(store) as (...params: unknown[]) => unknown;
      await expect(store.transact(async () => call('main'))).rejects.toThrow(`method=${name}`);
    },
  );
});

describe('a repository that keeps to the change', () => {
  runCases(repoCases, guardedHarness);
});
