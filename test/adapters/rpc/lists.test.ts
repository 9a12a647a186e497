/** Lists across a wire: a server keeps the state of a list, and no place in it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RemoteRepo } from '../../../src/adapters/rpc/client.ts';
import type { Message } from '../../../src/adapters/rpc/protocol.ts';
import { serveRepo } from '../../../src/adapters/rpc/server.ts';
import type { Served } from '../../../src/adapters/rpc/server.ts';
import { storedRepoOver } from '../../../src/core/repo/local-repo.ts';
import type { StoredRepo } from '../../../src/core/repo/stored-records.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { DID, POST, creates, rkeyOf } from '../../../src/testing/repo/harness.ts';

const RECORDS = 250;

let repo: StoredRepo;
let served: Served;
let remote: RemoteRepo;
let calls: (Message & { readonly kind: 'call' })[];

beforeEach(async () => {
  repo = storedRepoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  await repo.write(creates(RECORDS));
  calls = [];
  const toServer = (message: Message): void => {
    if (message.kind === 'call') {
      calls.push(message);
    }
    served.receive(structuredClone(message));
  };
  served = serveRepo(repo, 'opfs', (message) => remote.peer.receive(structuredClone(message)));
  remote = new RemoteRepo(toServer, { hangUp: async () => {} });
});

afterEach(() => repo.close());

/** Deletes every record, and the states that no reader keeps. Returns how many blocks the last state had of its own. */
const replaceAll = async (): Promise<void> => {
  await repo.write(creates(RECORDS).map(({ collection, rkey }) => ({ action: 'delete', collection, rkey: rkey! })));
  await repo.gc();
};

test('a hundred lists at once continue, each from the state of its start', async () => {
  const lists = Array.from({ length: 100 }, () => remote.list(POST)[Symbol.asyncIterator]());
  const found = await Promise.all(lists.map(async (list) => [(await list.next()).value.rkey as string]));
  await replaceAll();
  for (const [i, list] of lists.entries()) {
    for (let next = await list.next(); next.done !== true; next = await list.next()) {
      found[i]!.push(next.value.rkey);
    }
  }
  const all = Array.from({ length: RECORDS }, (_, i) => rkeyOf(i));
  expect(found).toEqual(Array(100).fill(all));
});

test('a page is asked for with the key of the last entry and the commit of the first page', async () => {
  const head = await repo.head();
  for await (const _ of remote.list(POST)) {
    // To its end.
  }
  const pages = calls.filter(({ method }) => method === 'page').map(({ params }) => params);
  expect(pages.map(([, at, , , options]) => [at, (options as { cursor?: string }).cursor])).toEqual([
    [undefined, undefined],
    [{ base: { '/': String(head!.cid) } }, rkeyOf(99)],
    [{ base: { '/': String(head!.cid) } }, rkeyOf(199)],
  ]);
});

test('the states of lists end with the connection, and a record crosses as its bytes', async () => {
  const list = remote.list(POST)[Symbol.asyncIterator]();
  expect((await list.next()).value.value).toMatchObject({ text: 'post 0' });
  await replaceAll();
  const { blocks } = await repo.info();
  served.end();
  await repo.gc();
  expect((await repo.info()).blocks).toBeLessThan(blocks);
});

test('the changes of a branch are asked for with its name, and those of the head up to the head of now', async () => {
  const head = await repo.head();
  for (const changes of [remote.branch('draft').diff(), remote.diff(undefined)]) {
    for await (const _ of changes) {
      // To its end.
    }
  }
  const asked = calls.filter(({ method }) => !method.startsWith('/')).map(({ method, params }) => [method, params]);
  expect(asked).toEqual([
    ['branch.diff', ['draft']],
    ['head', []],
    ['diff', [undefined, { '/': String(head!.cid) }, undefined]],
  ]);
});
