/** Commands on repositories in a browser. */
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { browserPlatform, deleteBrowserRepo, listBrowserRepos } from '../../src/adapters/platform/browser-platform.ts';
import { openIdbFiles } from '../../src/adapters/files/idb-files.ts';
import { exportFolder, importFolder } from '../../src/adapters/folders/transfer.ts';
import type { FolderEntry } from '../../src/adapters/folders/transfer.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { isRepoError } from '../../src/core/errors.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { creates, DID, KEY, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { wasm } from './wasm.ts';

export interface Place {
  readonly name: string;
  readonly storage: BrowserStorage;
}

export interface State {
  readonly head: string | undefined;
  readonly faults: readonly string[];
  readonly records: number;
  readonly blobs: number;
  readonly log: readonly string[];
}

const open = async ({ name, storage }: Place): Promise<Repo> =>
  sqliteRepo(await browserPlatform(name, { storage, wasm }), { signer: KEY });

const create = async ({ name, storage }: Place): Promise<Repo> =>
  sqliteRepo(await browserPlatform(name, { storage, wasm, create: true }), { did: DID, signer: KEY });

/**
 * Returns the content after a browser was killed, or the code of the error; and the time of opening by
 * itself took.
 */
export type Found = (State & { readonly openMs: number }) | { readonly refusal: string; readonly openMs: number };

const using = async <T>(opening: Promise<Repo>, run: (repo: Repo) => Promise<T>): Promise<T> => {
  const repo = await opening;
  try {
    return await run(repo);
  } finally {
    await repo.close().catch((error: unknown) => {
      // On a full disk the WAL cannot be checkpointed. It stays, with the acknowledged commits.
      if (!isRepoError(error, 'StorageFull')) {
        throw error;
      }
    });
  }
};

const stateOf = async (repo: Repo): Promise<State> => {
  const head = await repo.head();
  const { faults, records, blobs } = await repo.verify({ key: KEY.did() });
  const log: string[] = [];
  for await (const { cid } of repo.log()) {
    log.push(String(cid));
  }
  return {
    head: head && String(head.cid),
    faults: faults.map(({ code, message }) => `${code}: ${message}`),
    records,
    blobs,
    log,
  };
};

const openAgain = async (place: Place): Promise<Found> => {
  const start = performance.now();
  let repo: Repo;
  try {
    repo = await open(place);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return { refusal: error.code, openMs: performance.now() - start };
  }
  const openMs = performance.now() - start;
  return { ...(await using(Promise.resolve(repo), stateOf)), openMs };
};

const postTo = async (path: string, body: Blob | string): Promise<void> => {
  const response = await fetch(path, { method: 'POST', body });
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
};

async function* fetchedEntries(paths: readonly string[]): AsyncGenerator<FolderEntry> {
  for (const path of paths) {
    yield { path, content: await (await fetch(`/folder?path=${path}`)).blob() };
  }
}

/** Creates a repository with records, commits and blobs. */
const make = (place: Place): Promise<State> =>
  using(create(place), async (repo) => {
    await repo.write(creates(300));
    for (let i = 0; i < 20; i++) {
      const blob = await repo.putBlob(new Uint8Array(10_000 * i + 1).fill(i), { mimeType: 'image/png' });
      await repo.put(POST, rkeyOf(i), { ...post(`with a picture ${i}`), image: blob });
    }
    await repo.delete(POST, rkeyOf(299));
    return stateOf(repo);
  });

/**
 * Writes numbered commits, and posts the head after each one, until it is killed.
 * Every tenth one stores a blob first, and every fiftieth writes many records.
 */
const writeForever = async (place: Place): Promise<never> => {
  const repo = await open(place).catch((error: unknown) => {
    if (isRepoError(error, 'RepoNotFound')) {
      return create(place);
    }
    throw error;
  });
  for (let i = 0; ; i++) {
    const text = `${i} ${Math.random()}`;
    const image = i % 10 === 9 ? await repo.putBlob(new TextEncoder().encode(text.repeat(1000))) : undefined;
    const many = i % 50 === 49 ? 200 : 1;
    const { cid } = await repo.write(
      Array.from({ length: many }, () => ({
        action: 'create',
        collection: POST,
        value: image === undefined ? post(text) : { ...post(text), image },
      })),
    );
    await postTo(`/acknowledged?storage=${place.storage}`, String(cid));
  }
};

/** Writes until the storage is full. Returns the error's code, and the last acknowledged head. */
const fill = (place: Place): Promise<{ code: string; head: string; commits: number }> =>
  using(create(place), async (repo) => {
    let head = String((await repo.write(creates(10))).cid);
    for (let commits = 1; ; commits++) {
      try {
        const value = { ...post('large'), bytes: crypto.getRandomValues(new Uint8Array(60_000)) };
        const ops = Array.from({ length: 8 }, () => ({ action: 'create', collection: POST, value }) as const);
        head = String(
          (await repo.write(ops.map((op, i) => ({ ...op, value: { ...value, text: `${commits} ${i}` } })))).cid,
        );
      } catch (error) {
        return { code: isRepoError(error) ? error.code : `${String(error)}`, head, commits };
      }
    }
  });

/** Stores blobs until the storage is full. Returns the error's code and the number of stored blobs. */
const fillBlobs = (place: Place): Promise<{ code: string; blobs: number }> =>
  using(open(place), async (repo) => {
    for (let blobs = 0; ; blobs++) {
      try {
        const bytes = new Uint8Array(500_000);
        for (let at = 0; at < bytes.length; at += 50_000) {
          crypto.getRandomValues(bytes.subarray(at, at + 50_000));
        }
        await repo.putBlob(bytes);
      } catch (error) {
        return { code: isRepoError(error) ? error.code : String(error), blobs };
      }
    }
  });

/** Returns the pages that one commit stores, and the times of an open and of the commit. */
const countPages = async ({ name, records }: { name: string; records: number }): Promise<object> => {
  const platform = await browserPlatform(name, { storage: 'indexeddb', wasm, create: true });
  let files: Awaited<ReturnType<typeof openIdbFiles>> | undefined;
  const counted = { ...platform, openFiles: async () => (files = await openIdbFiles(name, { create: true })) };
  const repo = await sqliteRepo(counted, { did: DID });
  for (let done = 0; done < records; done += 10_000) {
    await repo.write(creates(Math.min(10_000, records - done), done));
  }
  const size = files!.main.getSize();
  const pages: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = files!.pagesPersisted;
    const start = performance.now();
    await repo.put(POST, rkeyOf(Math.floor((i * records) / 20)), post(`changed ${i}`));
    times.push(performance.now() - start);
    pages.push(files!.pagesPersisted - before);
  }
  await repo.close();
  const start = performance.now();
  const again = await open({ name, storage: 'indexeddb' });
  const openMs = performance.now() - start;
  await again.close();
  times.sort((a, b) => a - b);
  return { size, most: Math.max(...pages), commitMs: times[10], openMs };
};

export const repoCommands = {
  countPages,
  make,
  state: (place: Place) => using(open(place), stateOf),
  openAgain,
  /** Returns the code of the error of opening. */
  refusal: (place: Place) =>
    using(open(place), async () => 'opened').catch((error: unknown) =>
      isRepoError(error) ? error.code : String(error),
    ),
  writeForever,
  fill,
  fillBlobs,
  /** Posts every file of the repository's folder to the site. */
  async exportTo({ name, storage }: Place) {
    for await (const { path, content } of exportFolder(await browserPlatform(name, { storage, wasm }))) {
      await postTo(`/folder?path=${path}`, await new Response(content.stream()).blob());
    }
  },
  /** Imports the files of these paths from the site. */
  importFrom: async ({ name, storage, paths }: Place & { paths: readonly string[] }) =>
    importFolder(await browserPlatform(name, { storage, wasm, create: true }), fetchedEntries(paths)),
  list: () => listBrowserRepos(),
  remove: ({ name }: Place) => deleteBrowserRepo(name),
};
