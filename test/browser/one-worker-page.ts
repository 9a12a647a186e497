/**
 * A page that passes one worker for all repositories, and not a function; or that uses no worker.
 */
import { createRepo, listRepos, openRepo } from '../../src/browser.ts';
import type { BrowserStorage } from '../../src/browser.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { createPageWorker } from '../../src/worker.ts';

const COLLECTION = 'app.bsky.feed.post';

const worker = new Worker('tab-worker.js', { type: 'module' });
const page = createPageWorker({ wasm: '/sql-wasm.wasm' });
let opened: Repo | undefined;

const repo = (): Repo => {
  if (opened === undefined) {
    throw new Error('not open here');
  }
  return opened;
};

const rkeyOf = (n: number): string => `3k${String(n).padStart(11, '0')}`;

/** Those of `tab-page.ts` that the tests need, under the same names. */
const commands: Record<string, (args: any) => Promise<unknown>> = {
  async open({ name, did, storage }: { name: string; did?: string; storage?: BrowserStorage }) {
    opened = await (did === undefined
      ? openRepo(name, { worker, storage })
      : createRepo(name, { worker, storage, did }));
  },
  async openOnPage({ name, did }: { name: string; did?: string }) {
    opened = await (did === undefined ? openRepo(name, { worker: page }) : createRepo(name, { worker: page, did }));
    return [(await opened.info()).storage, (await listRepos({ worker: page })).map((kept) => kept.name)];
  },
  async put({ from, count }: { from: number; count: number }) {
    for (let n = from; n < from + count; n++) {
      await repo().put(COLLECTION, rkeyOf(n), { text: `post ${n}`, createdAt: '2024-01-02T03:04:05.678Z' });
    }
  },
  /** Starts an import of a stream without data. */
  async import() {
    repo()
      .importCar(new ReadableStream<Uint8Array>({}))
      .catch(() => {});
    await repo().head();
  },
  async keys() {
    const numbers: number[] = [];
    for await (const { rkey } of (await repo().checkout()).entries(COLLECTION)) {
      numbers.push(Number(rkey.slice(2)));
    }
    return numbers;
  },
  async verify() {
    const { ok, faults } = await repo().verify();
    return { ok, faults: faults.map(({ message }) => message) };
  },
  close: () => repo().close(),
};

globalThis.runInBrowser = async (_where, command, args) =>
  JSON.stringify((await commands[command]!(JSON.parse(args))) ?? null);
