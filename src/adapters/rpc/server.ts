/** A repository that serves a client at the other end of a wire. */
import { RepoError } from '../../core/errors.ts';
import type { Entry } from '../../core/repo/method-tables.ts';
import { BRANCH, META, REPO } from '../../core/repo/method-tables.ts';
import { listenSince } from '../../core/repo/read/missed-changes.ts';
import type { StoredReads, StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { toWireFiles } from './files.ts';
import type { At, ClientMethods, ServerMethods } from './methods.ts';
import type { Handlers, Send } from './peer.ts';
import { Peer } from './peer.ts';
import type { Message, StorageKind } from './protocol.ts';
import { ServerTrees } from './server-trees.ts';

/** One client, while it is served. */
export interface Served {
  receive(message: Message): void;
  /** Resolves when what the client has asked for so far has ended. */
  idle(): Promise<void>;
  /** Forgets the client, and stops what runs for it. The repository stays open. */
  end(): void;
}

type Method = (...params: unknown[]) => unknown;

/** Options as they were given to the client. The `did` of a signer crosses as a text, because it returns no promise. */
const givenOptions = (options: unknown): object => {
  const { signer, ...given } = options as { readonly signer?: { readonly did?: string | undefined } };
  const { did } = signer ?? {};
  return signer === undefined ? given : { ...given, signer: { ...signer, did: did === undefined ? did : () => did } };
};

/** The handlers of a table. @param target The object with the methods; it may take the first parameter. */
const passedThrough = (
  prefix: string,
  table: Readonly<Record<string, Entry>>,
  target: (params: unknown[]) => object,
): Record<string, (...params: unknown[]) => Promise<unknown>> => {
  const handler =
    (name: string, { way, options }: Entry) =>
    async (...params: unknown[]): Promise<unknown> => {
      const object = target(params) as Record<string, Method>;
      if (options !== undefined && params[options] !== undefined) {
        params[options] = givenOptions(params[options]);
      }
      const result = object[name]!(...params);
      return way === 'files' ? toWireFiles(result as AsyncIterable<BackupFile>) : result;
    };
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [prefix + name, handler(name, entry)]));
};

/** Serves a client. @param send Carries messages to it, in order. */
export const serveRepo = (repo: StoredRepo, storage: StorageKind, send: Send): Served => {
  const trees = new ServerTrees(repo);
  let unsubscribe = (): void => {};
  const readsAt = async (at: At): Promise<StoredReads & Pick<StoredTree, 'collections'>> =>
    at === undefined ? repo : 'branch' in at ? repo.branch(at.branch) : trees.find(at);
  const handlers: Handlers<ServerMethods> = {
    about: async () => ({ did: repo.did, rev: (await repo.head())?.rev }),
    info: async () => ({ ...(await repo.info()), storage }),
    get: async (at, collection, rkey) => (await readsAt(at)).getStored(collection, rkey),
    collections: async (at) => (await readsAt(at)).collections(),
    page: (...params) => trees.page(...params),
    leave: async (list) => trees.leave(list),
    checkout: (at) => trees.checkout(at),
    commit: async (ref, options) => repo.commit(await trees.find(ref), givenOptions(options)),
    edit: (...params) => trees.edit(...params),
    subscribe(known) {
      unsubscribe();
      // A client that has gone hears of the change from the next leader.
      const { stop, rev } = listenSince(repo, known, (change) => void peer.call('change', [change]).catch(() => {}));
      unsubscribe = stop;
      return rev;
    },
    unsubscribe: async () => unsubscribe(),
  };
  const peer = new Peer<ClientMethods, ServerMethods>(send, {
    ...passedThrough('', REPO, () => repo),
    ...passedThrough('meta.', META, () => repo.meta),
    ...passedThrough('branch.', BRANCH, (params) => repo.branch(params.shift() as string)),
    ...handlers,
  });
  return {
    receive: (message) => peer.receive(message),
    idle: () => peer.idle(),
    end() {
      unsubscribe();
      trees.end();
      peer.end(new RepoError('Closed', 'the page of this call was closed: open the repository again'));
    },
  };
};
