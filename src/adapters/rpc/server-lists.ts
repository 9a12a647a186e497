/** Lists that a client is in the middle of, walked a page at a time: nothing is read that nobody asked for. */
import { chunksOf } from '../../core/data/streams.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidEquals } from '../../core/data/cid.ts';
import { isRepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { FileHead, Gone, OpenList, Page, TreeList } from './protocol.ts';
import { GONE } from './protocol.ts';
import { createRecentMap } from './recent-map.ts';
import { isBytes } from '../../core/data/platform-values.ts';
import { openTreeList, stateOf } from './server-tree-lists.ts';
import type { ServerTrees } from './server-trees.ts';

/** What a message carries at most: so many entries, so many bytes of them, or what was found in so long a time. */
export const MAX_PAGE_ITEMS = 100;
export const MAX_PAGE_BYTES: number = 256 * 1024;
const MAX_PAGE_MS = 50;

/** Lists of one client that wait to be asked on. One that was left without a word makes room in time. */
const MAX_LISTS = 32;

/** A list that is not of a tree. */
type PlainList = Exclude<OpenList, TreeList>;

type OnProgress = NonNullable<LongWork['onProgress']>;

interface OpenedList {
  readonly iterator: AsyncIterator<unknown>;
  /** Of whoever has asked for the page that is being read. */
  onProgress: OnProgress;
  /** Entries of a page. */
  readonly most: number;
  /** What went wrong after something was found: the next page fails with it. */
  failure?: { readonly error: unknown };
}

export interface ServerLists {
  open(handle: number, list: OpenList, onProgress: OnProgress): Promise<Page<unknown> | Gone>;
  next(handle: number, onProgress: OnProgress): Promise<Page<unknown> | Gone>;
  leave(handle: number): void;
  close(): void;
}

/** Files as one list: the head of each, then its bytes piece by piece. */
async function* readFiles(files: AsyncIterable<BackupFile>): AsyncGenerator<FileHead | Uint8Array> {
  for await (const { path, content } of files) {
    yield { path, size: content.size };
    yield* chunksOf(content.stream());
  }
}

const walk = (repo: Repo, list: PlainList, onProgress: OnProgress): AsyncIterable<unknown> => {
  switch (list.of) {
    case 'backup':
      return readFiles(repo.backup(list.options));
    case 'blobs':
      return repo.blobs();
    case 'branchDiff':
      return repo.branch(list.branch).diff();
    case 'diff':
      return repo.diff(list.from, list.to);
    case 'exportCar':
      return chunksOf(repo.exportCar({ ...list.options, onProgress: list.tells ? onProgress : undefined }));
    case 'log':
      return repo.log();
    case 'meta':
      return repo.meta.list(list.prefix);
    case 'missingBlobs':
      return repo.missingBlobs();
  }
};

/** Ends a walk early. It only reads, so that nothing is left undone if even that fails. */
const endWalk = ({ iterator }: OpenedList): void => {
  iterator.return?.().then(undefined, () => {});
};

/** The bytes of a piece of a stream, of a record, or of a meta entry. All else is small. */
const sizeOf = (value: unknown): number => {
  if (Array.isArray(value)) {
    return value.reduce<number>((sum, text) => sum + String(text).length, 0);
  }
  const found = isBytes(value) ? value : (value as { readonly bytes?: unknown }).bytes;
  return isBytes(found) ? found.length : 0;
};

const readPage = async (list: OpenedList): Promise<Page<unknown>> => {
  if (list.failure !== undefined) {
    throw list.failure.error;
  }
  const items: unknown[] = [];
  const since = performance.now();
  let size = 0;
  try {
    while (
      items.length < list.most &&
      size < MAX_PAGE_BYTES &&
      (items.length === 0 || performance.now() - since < MAX_PAGE_MS)
    ) {
      const { done, value } = await list.iterator.next();
      if (done === true) {
        return { items: joined(items), done: true };
      }
      size += sizeOf(value);
      items.push(value);
    }
  } catch (error) {
    if (items.length === 0) {
      throw error;
    }
    list.failure = { error };
  }
  return { items: joined(items), done: false };
};

/** Neighbouring pieces of a stream as one. */
const joined = (items: readonly unknown[]): readonly unknown[] => {
  const answer: unknown[] = [];
  let pieces: Bytes[] = [];
  const join = (): void => {
    if (pieces.length > 0) {
      answer.push(concatBytes(pieces));
      pieces = [];
    }
  };
  for (const item of items) {
    if (isBytes(item)) {
      pieces.push(item as Bytes);
    } else {
      join();
      answer.push(item);
    }
  }
  join();
  return answer;
};

export const createServerLists = (repo: Repo, trees: ServerTrees): ServerLists => {
  const lists = createRecentMap<number, OpenedList>(MAX_LISTS, endWalk);

  const page = async (handle: number, list: OpenedList): Promise<Page<unknown>> => {
    try {
      const answer = await readPage(list);
      if (answer.done) {
        lists.delete(handle);
      }
      return answer;
    } catch (error) {
      lists.delete(handle);
      throw error;
    }
  };

  /** Whether garbage was collected between the look at the state and the first entry of its list. */
  const hasMoved = async (list: TreeList, base: CID | undefined, error: unknown): Promise<boolean> =>
    list.tree === undefined && isRepoError(error, 'BlockNotFound') && !cidEquals(await stateOf(repo, list), base);

  const openTree = async (handle: number, list: TreeList, onProgress: OnProgress): Promise<Page<unknown> | Gone> => {
    const found = await openTreeList(repo, trees, list);
    if (found === GONE) {
      return GONE;
    }
    const { base, items } = found;
    const opened: OpenedList = { iterator: items[Symbol.asyncIterator](), most: MAX_PAGE_ITEMS, onProgress };
    lists.set(handle, opened);
    try {
      return { ...(await page(handle, opened)), base };
    } catch (error) {
      if (await hasMoved(list, base, error)) {
        return openTree(handle, list, onProgress);
      }
      throw error;
    }
  };

  const leave = (handle: number): void => {
    const list = lists.delete(handle);
    if (list !== undefined) {
      endWalk(list);
    }
  };

  return {
    open(handle, list, onProgress) {
      if (list.of === 'list' || list.of === 'entries') {
        return openTree(handle, list, onProgress);
      }
      // A backup is not read ahead of whoever takes it: as long as it goes on, nobody else can make one.
      const most = list.of === 'backup' ? 1 : MAX_PAGE_ITEMS;
      const walked = walk(repo, list, (progress) => opened.onProgress(progress));
      const opened: OpenedList = { iterator: walked[Symbol.asyncIterator](), most, onProgress };
      lists.set(handle, opened);
      return page(handle, opened);
    },
    async next(handle, onProgress) {
      const list = lists.get(handle);
      if (list === undefined) {
        return GONE;
      }
      list.onProgress = onProgress;
      return page(handle, list);
    },
    leave,
    close() {
      for (const list of [...lists.values()]) {
        endWalk(list);
      }
    },
  };
};
