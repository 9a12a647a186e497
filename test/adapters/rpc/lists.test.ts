/** Lists and trees across a wire: a list continues at another server, and a server keeps no tree. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RemoteRepo } from '../../../src/adapters/rpc/client.ts';
import type { Message } from '../../../src/adapters/rpc/protocol.ts';
import { serveRepo } from '../../../src/adapters/rpc/server.ts';
import { storedRepoOver } from '../../../src/core/repo/local-repo.ts';
import type { EditedCommit, StoredRepo } from '../../../src/core/repo/stored-records.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { DID, POST, creates, post, rkeyOf } from '../../../src/testing/repo/harness.ts';

const RECORDS = 250;

let repo: StoredRepo;
let served: ReturnType<typeof serveRepo>;
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

test('another server continues a list from its last key, under the commit of its start', async () => {
  const head = await repo.head();
  const list = remote.list(POST, { limit: 200 })[Symbol.asyncIterator]();
  for (let i = 0; i < 50; i++) {
    await list.next();
  }
  await repo.write(creates(1, RECORDS));
  const next = serveRepo(repo, 'opfs', (message) => remote.peer.receive(structuredClone(message)));
  remote.moved((message) => {
    if (message.kind === 'call') {
      calls.push(message);
    }
    next.receive(structuredClone(message));
  });
  let rest = 0;
  while ((await list.next()).done !== true) {
    rest += 1;
  }
  expect(rest).toBe(150);
  expect(calls.filter(({ method }) => method === 'state.listStored').map(({ params }) => params)).toEqual([
    [undefined, POST, { limit: 200 }],
    [{ base: { '/': String(head!.cid) }, edits: [] }, POST, { limit: 101, cursor: rkeyOf(98) }],
  ]);
});

test('the states of lists end with the connection, and a record crosses as its bytes', async () => {
  const list = remote.list(POST)[Symbol.asyncIterator]();
  expect((await list.next()).value.value).toMatchObject({ text: 'post 0' });
  await replaceAll();
  const { blocks } = await repo.info();
  served.end(new Error('over'));
  await repo.gc();
  expect((await repo.info()).blocks).toBeLessThan(blocks);
});

test('the page holds the edits of a tree, and sends those that the reply depends on', async () => {
  let tree = await remote.checkout();
  for (const rkey of ['x', 'y', 'x']) {
    tree = await tree.put(POST, rkey, post(`${rkey} ${calls.length}`));
  }
  calls = [];
  await tree.get(POST, 'x');
  await tree.get(POST, rkeyOf(0));
  await tree.collections();
  await remote.commit(tree);
  const edited = calls.map(({ method, params: [state] }) => [
    method,
    (state as EditedCommit).edits.map(({ rkey }) => rkey),
  ]);
  expect(edited).toEqual([
    ['state.getStored', ['x']],
    ['state.getStored', []],
    ['state.collections', ['y', 'x']],
    ['commit', ['y', 'x']],
  ]);
  expect((await repo.info()).records).toBe(RECORDS + 2);
});

test('an edit that changes nothing returns the same tree', async () => {
  const tree = await (await remote.checkout()).put(POST, 'x', post('x'));
  expect(await tree.put(POST, 'x', post('x'))).toBe(tree);
  expect(await tree.delete(POST, 'y')).toBe(tree);
  expect(await (await tree.delete(POST, 'x')).get(POST, 'x')).toBeUndefined();
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
