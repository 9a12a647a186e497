/** A repository that serves a client at the other end of a wire. */
import { chunksOf } from '../../core/data/streams.ts';
import { RepoError } from '../../core/errors.ts';
import type { HeadChange } from '../../core/repo/repo.ts';
import type { StoredReads, StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import { offerFiles } from './files.ts';
import type { FolderFile } from './files.ts';
import type { At, ClientMethods, Entry, ServerMethods, TreeRef, WireSigner } from './methods.ts';
import { BRANCH, META, REPO } from './methods.ts';
import type { CallContext, Handlers, Send } from './peer.ts';
import { Peer } from './peer.ts';
import type { Message } from './protocol.ts';
import { createServerTrees, editTree } from './server-trees.ts';
import type { ServerTrees } from './server-trees.ts';
import type { Gone } from './streams.ts';
import { byteStream, GONE, isWireStream } from './streams.ts';
import { createSubscription } from './subscription.ts';

/** One client, while it is served. */
export interface Served {
  receive(message: Message): void;
  /** Resolves when what the client has asked for so far has ended. */
  idle(): Promise<void>;
  /** Forgets the client, and stops what runs for it. The repository stays open. */
  end(): void;
}

type Client = Peer<ClientMethods, ServerMethods>;
type Method = (...params: unknown[]) => unknown;
type Handler = (context: CallContext, ...params: unknown[]) => Promise<unknown>;

/** Options as they were given to the client: its signal, its listener and its signer are at the other end. */
const givenOptions = (client: Client, { signal, onProgress }: CallContext, options: unknown): object => {
  const { signer: by, ...given } = (options ?? {}) as { readonly signer?: WireSigner };
  if (by === undefined) {
    return { ...given, signal, onProgress };
  }
  const { '/signer': id, did } = by;
  // If the client goes, the call fails, and with it the write that waits for the signature.
  const signer = {
    sign: (bytes: Uint8Array<ArrayBuffer>) => client.call('sign', [id, bytes]),
    ...(did === undefined ? {} : { did: () => did }),
  };
  return { ...given, signal, onProgress, signer };
};

/** The handlers of a table. @param target The object with the methods; it may take the first parameter. */
const passedThrough = (
  client: () => Client,
  prefix: string,
  table: Readonly<Record<string, Entry>>,
  target: (params: unknown[]) => object,
): Record<string, Handler> => {
  const handlers: Record<string, Handler> = {};
  for (const [name, { way, options }] of Object.entries(table)) {
    handlers[prefix + name] = async (context, ...given) => {
      const end = client();
      const object = target(given) as Record<string, Method>;
      const params = given.map((param) => (isWireStream(param) ? byteStream(end.take(param)) : param));
      if (options !== undefined) {
        params[options] = givenOptions(end, context, params[options]);
      }
      const answer = object[name]!(...params);
      switch (way) {
        case 'bytes':
          return end.offer(chunksOf(answer as ReadableStream<Uint8Array>), { onEnd: context.keep() });
        case 'files':
          return offerFiles(end, answer as AsyncIterable<FolderFile>, context.keep());
        case 'list':
          return end.offer(answer as AsyncIterable<unknown>);
        default:
          return answer;
      }
    };
  }
  return handlers;
};

/** The reads of a state; {@link GONE} for a tree that the client has to send. */
const readsOf = async (
  repo: StoredRepo,
  trees: ServerTrees,
  at: At,
): Promise<(StoredReads & Pick<StoredTree, 'collections'>) | Gone> =>
  at === undefined ? repo : 'branch' in at ? repo.branch(at.branch) : trees.find(at);

const handlersOf = (
  repo: StoredRepo,
  client: () => Client,
  trees: ServerTrees,
  tell: (change: HeadChange) => void,
): { readonly handlers: Handlers<ServerMethods>; readonly stop: () => void } => {
  const subscription = createSubscription(repo, tell);
  const withTree = async <T>(ref: TreeRef, use: (tree: StoredTree) => Promise<T>): Promise<T | Gone> => {
    const tree = await trees.find(ref);
    return tree === GONE ? GONE : use(tree);
  };
  const handlers: Handlers<ServerMethods> = {
    info: () => repo.info(),
    async get(_, at, collection, rkey) {
      const reads = await readsOf(repo, trees, at);
      return reads === GONE ? GONE : reads.getStored(collection, rkey);
    },
    async collections(_, at) {
      const reads = await readsOf(repo, trees, at);
      return reads === GONE ? GONE : reads.collections();
    },
    page: (_, list, at, of, collection, options) => trees.page(list, at, of, collection, options),
    leave: async (_, list) => trees.leave(list),
    checkout: (_, at) => trees.checkout(at),
    commit: (context, ref, options) =>
      withTree(ref, (tree) => repo.commit(tree, givenOptions(client(), context, options))),
    edit: (_, ref, edit, key) =>
      withTree(ref, async (tree) => {
        const edited = await editTree(tree, edit);
        if (edited === tree) {
          return false;
        }
        trees.keep(key, edited);
        return true;
      }),
    subscribe: (_, known) => subscription.start(known),
    unsubscribe: async () => subscription.stop(),
  };
  return {
    handlers: {
      ...passedThrough(client, '', REPO, () => repo),
      ...passedThrough(client, 'meta.', META, () => repo.meta),
      ...passedThrough(client, 'branch.', BRANCH, (params) => repo.branch(params.shift() as string)),
      ...handlers,
    },
    stop: () => subscription.stop(),
  };
};

/** Serves a client. @param send Carries messages to it, in order. */
export const serveRepo = (repo: StoredRepo, send: Send): Served => {
  const trees = createServerTrees(repo);
  const { handlers, stop } = handlersOf(
    repo,
    () => peer,
    trees,
    (change) => peer.tell(change),
  );
  const peer: Client = new Peer<ClientMethods, ServerMethods>(send, handlers);
  return {
    receive: (message) => peer.receive(message),
    idle: () => peer.idle(),
    end() {
      stop();
      trees.end();
      peer.end(new RepoError('Closed', 'the page that asked is gone'));
    },
  };
};
