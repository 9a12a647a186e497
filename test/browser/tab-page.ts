/**
 * A page over the entry points for browsers, as in an application. A test calls its functions.
 */
import {
  createRepo,
  importRepo,
  openOrCreateRepo,
  deleteRepo,
  exportFolder,
  importFolder,
  listRepos,
  openRepo,
} from '../../src/browser.ts';
import type { BrowserStorage } from '../../src/browser.ts';
import type { HeadChange, Repo } from '../../src/core/repo/repo.ts';
import { importKey } from '../../src/core/crypto/signing-key.ts';
import { isSkippedCase } from '../../src/testing/case.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import { lateness } from './lateness.ts';

const COLLECTION = 'app.bsky.feed.post';
const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';

const startWorker = (): Worker => new Worker('tab-worker.js', { type: 'module' });
const worker = startWorker();
const repos = new Map<string, Repo>();
const changes = new Map<string, HeadChange[]>();
let cases = 0;

const harness = (storage: BrowserStorage): RepoHarness => {
  const name = `case-${cases++}-${Math.random().toString(36).slice(2)}`;
  return {
    create: (options) => createRepo(name, { ...options, storage, worker }),
    open: (options) => openRepo(name, { ...options, worker }),
    openReadOnly: () => openRepo(name, { readOnly: true, worker }),
    openOrCreate: (options) => openOrCreateRepo(name, { ...options, storage, worker }),
    importRepo: (car, options) => importRepo(name, car, { ...options, storage, worker }),
    other: () => harness(storage),
  };
};

const repoOf = (name: string): Repo => {
  const repo = repos.get(name);
  if (repo === undefined) {
    throw new Error(`not open here: ${name}`);
  }
  return repo;
};

const rkeyOf = (n: number): string => `3k${String(n).padStart(11, '0')}`;

/** Puts records, one commit each, and posts each acknowledgement to the test's server. */
const putMany = async (repo: Repo, from: number, count: number): Promise<number> => {
  for (let n = from; n < from + count; n++) {
    await repo.put(COLLECTION, rkeyOf(n), { text: `post ${n}`, createdAt: '2024-01-02T03:04:05.678Z' });
    await fetch(`/ack?n=${n}`);
  }
  return count;
};

export const tabCommands = {
  async runCase({ storage, name }: { storage: BrowserStorage; name: string }) {
    try {
      await repoCases.find((one) => one.name === name)!.run(harness(storage));
      return { outcome: 'passed' };
    } catch (error) {
      const { name: kind, message, stack } = error as Error;
      return { outcome: isSkippedCase(error) ? 'skipped' : 'failed', message: `${kind}: ${message}\n${stack}` };
    }
  },
  async open({
    name,
    did,
    storage,
    key,
    waitMs,
  }: {
    name: string;
    did?: string;
    storage?: BrowserStorage;
    key?: string;
    waitMs?: number;
  }) {
    const signer = key === undefined ? undefined : importKey(key, 'secp256k1');
    const options = { worker: startWorker, storage, signer, waitMs };
    const repo = await (did === undefined ? openRepo(name, options) : createRepo(name, { ...options, did }));
    repos.set(name, repo);
    const heard: HeadChange[] = [];
    changes.set(name, heard);
    repo.onChange((change) => heard.push(change));
    return repo.did;
  },
  put: ({ name, from, count }: { name: string; from: number; count: number }) => putMany(repoOf(name), from, count),
  get: async ({ name, n }: { name: string; n: number }) =>
    (await repoOf(name).get(COLLECTION, rkeyOf(n)))?.value['text'],
  heard: async ({ name }: { name: string }) => changes.get(name)!.map(({ rev, created }) => ({ rev, created })),
  async info({ name }: { name: string }) {
    const { commits, records, storage, persistent } = await repoOf(name).info();
    return { commits, records, storage, persistent };
  },
  async verify({ name }: { name: string }) {
    const { ok, faults } = await repoOf(name).verify();
    return { ok, faults: faults.map(({ message }) => message) };
  },
  keys: async ({ name }: { name: string }) => {
    const numbers: number[] = [];
    for await (const { rkey } of (await repoOf(name).checkout()).entries(COLLECTION)) {
      numbers.push(Number(rkey.slice(2)));
    }
    return numbers;
  },
  close: ({ name }: { name: string }) => repoOf(name).close(),
  remove: ({ name }: { name: string }) => deleteRepo(name, { worker }),
  list: () => listRepos({ worker }),
  async import({ name, url, abortAfterBytes }: { name: string; url: string; abortAfterBytes?: number }) {
    const response = await fetch(url);
    const stop = new AbortController();
    let told = 0;
    let result: unknown;
    const lag = await lateness(async () => {
      result = await repoOf(name)
        .importCar(response.body!, {
          signal: stop.signal,
          onProgress({ bytes }) {
            told += 1;
            if (abortAfterBytes !== undefined && bytes >= abortAfterBytes) {
              stop.abort(new Error('enough'));
            }
          },
        })
        .then(
          ({ created }) => created,
          (error: unknown) => (error as Error).message,
        );
    });
    return { result, told, lag };
  },
  async copyFolder({ name, to, storage }: { name: string; to: string; storage: BrowserStorage }) {
    const files = exportFolder(name, { worker });
    return importFolder(to, files, { storage, worker: startWorker });
  },
  async badWorker({ script }: { script: string }) {
    const broken = new Worker(script, { type: 'module' });
    return createRepo('never', { did: DID, worker: broken }).catch(
      (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
    );
  },
  async deadWorker({ name }: { name: string }) {
    const own = startWorker();
    const repo = await createRepo(name, { did: DID, worker: own });
    const stuck = repo
      .write([], { signer: { sign: () => new Promise(() => {}) } })
      .catch((error: unknown) => (error as { code: string }).code);
    await repo.head();
    own.terminate();
    const outcome = await stuck;
    return [outcome, await repo.head().catch((error: unknown) => (error as { code: string }).code)];
  },
} satisfies Record<string, (args: any) => Promise<unknown>>;

export type TabCommand = keyof typeof tabCommands;

globalThis.runInBrowser = async (_where, command, args) =>
  JSON.stringify((await tabCommands[command as unknown as TabCommand](JSON.parse(args))) ?? null);
