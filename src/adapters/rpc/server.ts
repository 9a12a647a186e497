/** A repository that serves a client at the other end of a wire. */
import type { CarSource } from '../../core/car/source.ts';
import type { CID } from '../../core/data/cid.ts';
import { isReadableStream } from '../../core/data/platform-values.ts';
import { chunksOf } from '../../core/data/streams.ts';
import type { ImportOptions, ImportResult } from '../../core/repo/long-work.ts';
import type { Entry } from '../../core/repo/method-tables.ts';
import { BRANCH, META, REPO } from '../../core/repo/method-tables.ts';
import { listenSince } from '../../core/repo/read/missed-changes.ts';
import type { HeadChange, Repo, RepoInfo } from '../../core/repo/repo.ts';
import type { EditedCommit, NamedState, StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import type { StoredImport } from '../../core/repo/transfer/past-import.ts';
import type { Send } from './peer.ts';
import { Peer } from './peer.ts';
import type { StorageKind } from './protocol.ts';

/** The calls to a client. */
export interface ClientMethods {
  /** Tells a client that listens of a new head. */
  change(change: HeadChange): Promise<void>;
}

/** The calls to a server that no table generates. */
export interface ServerMethods {
  /**
   * Returns the DID, and the rev of the head.
   * @param isListening Whether this client hears of new heads from now on.
   * @param known The head that it knows (`null` for none): it first hears of those that it missed.
   */
  begin(
    isListening: boolean,
    known?: string | null,
  ): Promise<{ readonly did: string; readonly rev?: string | undefined }>;
  info(): Promise<RepoInfo>;
  /** Returns the commit whose tree it is, and the head under which a commit of it is expected. */
  checkout(at: string | CID | undefined): Promise<{ readonly base: CID | undefined; readonly head: CID | undefined }>;
  /** In the table of the core. The page makes an iterable of the changes. */
  importCar(source: CarSource, options: ImportOptions): Promise<StoredImport>;
}

type StateRead = 'collections' | 'getManyStored' | 'getStored';

/** The calls to a server that a table generates, and the client has code for. Those of a state have its name first. */
export type TableMethods = Pick<Repo, 'head'> & {
  readonly [K in StateRead as `state.${K}`]: (
    state: NamedState,
    ...params: Parameters<StoredTree[K]>
  ) => ReturnType<StoredTree[K]>;
};

/** The reads of one state that cross. Records cross as their bytes, which the client decodes. */
const STATE: Readonly<Record<StateRead | 'entries' | 'listStored', Entry>> = {
  collections: { way: 'read' },
  getStored: { way: 'read' },
  getManyStored: { way: 'read' },
  entries: { way: 'list' },
  listStored: { way: 'list' },
};

/** An entry of a list of a state. The commit of the state comes first: another server continues the list from it. */
export type ListItem<T> = T | { readonly base: CID | undefined };

type Method = (...params: unknown[]) => unknown;

/** Returns the tree of a state, which `gc` keeps until the call ends. */
type CheckOut = (state: NamedState) => Promise<StoredTree>;

/** Returns the object with the methods of a table. It may take the first parameter. */
type TargetOf = (params: unknown[], checkOut: CheckOut, entry: Entry) => object | Promise<object>;

/** The handlers of a table. */
const passedThrough = (
  repo: StoredRepo,
  prefix: string,
  table: Readonly<Record<string, Entry>>,
  targetOf: TargetOf,
): Record<string, (...params: unknown[]) => Promise<unknown>> => {
  /** Returns what a method returns, or yields the items of its stream. Then releases the trees. */
  async function* run(name: string, entry: Entry, given: unknown[]): AsyncGenerator {
    const releases: (() => void)[] = [];
    const checkOut: CheckOut = async (state) => {
      const { tree, release } = await repo.checkoutPinned(state);
      releases.push(release);
      return tree;
    };
    try {
      const target = await targetOf(given, checkOut, entry);
      // A tree of the client crosses as its commit and its edits.
      const params = await Promise.all(given.map((param) => (isEdited(param) ? checkOut(param) : param)));
      const result = (target as Record<string, Method>)[name]!(...params);
      if (!isStream(entry)) {
        return await result;
      }
      if (table === STATE) {
        yield { base: (target as StoredTree).base } satisfies ListItem<never>;
      }
      // Streams of WebKit have no async iterator.
      return yield* isReadableStream(result) ? chunksOf(result) : (result as AsyncGenerator);
    } finally {
      releases.forEach((release) => release());
    }
  }
  const handlers = Object.entries(table).map(([name, entry]) => {
    const handler = async (...given: unknown[]): Promise<unknown> => {
      const found = run(name, entry, given);
      return isStream(entry) ? found : (await found.next()).value;
    };
    return [prefix + name, handler] as const;
  });
  return Object.fromEntries(handlers);
};

const isStream = ({ way }: Entry): boolean => way === 'bytes' || way === 'files' || way === 'list';

const isEdited = (param: unknown): param is EditedCommit =>
  typeof param === 'object' && param !== null && 'edits' in param;

/** Serves a client, until it ends. The repository stays open. @param send Carries messages to the client, in order. */
export const serveRepo = (repo: StoredRepo, storage: StorageKind, send: Send): Peer<ClientMethods, ServerMethods> => {
  let unsubscribe = (): void => {};
  const ofRepo = passedThrough(repo, '', REPO, () => repo);
  const handlers: ServerMethods = {
    async begin(isListening, known) {
      unsubscribe();
      if (!isListening) {
        return { did: repo.did, rev: (await repo.head())?.rev };
      }
      const { stop, rev } = listenSince(repo, known, (change) => {
        // A client that has gone hears of the change from the next leader.
        peer.call('change', [change]).catch(() => peer.isClosed && stop());
      });
      unsubscribe = stop;
      return { did: repo.did, rev: await rev };
    },
    info: async () => ({ ...(await repo.info()), storage }),
    async checkout(at) {
      const { base, head } = await repo.checkout(at);
      return { base, head };
    },
    async importCar(...params) {
      const { changes, ...result } = (await ofRepo['importCar']!(...params)) as ImportResult;
      const { first, count, from, to } = changes;
      return { ...result, changes: { first, count, from, to } };
    },
  };
  const peer = new Peer<ClientMethods, ServerMethods>(send, {
    ...ofRepo,
    ...passedThrough(repo, 'meta.', META, () => repo.meta),
    ...passedThrough(repo, 'branch.', BRANCH, (params) => repo.branch(params.shift() as string)),
    ...passedThrough(repo, 'state.', STATE, (params, checkOut, { way }) => {
      const state = params.shift() as NamedState;
      return state === undefined && way === 'read' ? repo : checkOut(state);
    }),
    ...handlers,
  });
  return peer;
};
