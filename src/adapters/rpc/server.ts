/** A repository that serves a client at the other end of a wire. */
import { chunksOf } from '../../core/data/streams.ts';
import { RepoError } from '../../core/errors.ts';
import type { StoredReads, StoredRepo, StoredTree } from '../../core/repo/stored-records.ts';
import { offerFiles } from './files.ts';
import type { FolderFile } from './files.ts';
import type { At, ClientMethods, Entry, ServerMethods, TreeRef, WireSigner } from './methods.ts';
import { BRANCH, META, REPO } from './methods.ts';
import type { CallContext, Handlers, Send } from './peer.ts';
import { Peer } from './peer.ts';
import type { Message } from './protocol.ts';
import { editTree, ServerTrees } from './server-trees.ts';
import type { Gone } from './streams.ts';
import { byteStream, GONE, isWireStream } from './streams.ts';
import { Subscription } from './subscription.ts';

/** One client, while it is served. */
export interface Served {
  receive(message: Message): void;
  /** Resolves when what the client has asked for so far has ended. */
  idle(): Promise<void>;
  /** Forgets the client, and stops what runs for it. The repository stays open. */
  end(): void;
}

type Client = Peer<ClientMethods, ServerMethods>;
type StateReads = StoredReads & Pick<StoredTree, 'collections'>;
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
      const result = object[name]!(...params);
      switch (way) {
        case 'bytes':
          return end.offer(chunksOf(result as ReadableStream<Uint8Array>), { onEnd: context.keep() });
        case 'files':
          return offerFiles(end, result as AsyncIterable<FolderFile>, context.keep());
        case 'list':
          return end.offer(result as AsyncIterable<unknown>);
        default:
          return result;
      }
    };
  }
  return handlers;
};

/** Serves a client. @param send Carries messages to it, in order. */
export const serveRepo = (repo: StoredRepo, send: Send): Served => {
  const trees = new ServerTrees(repo);
  const subscription = new Subscription(repo, (change) => peer.tell(change));
  /** Reads a state; {@link GONE} for a tree that the client has to send. */
  const readAt = async <T>(at: At, read: (reads: StateReads) => Promise<T>): Promise<T | Gone> => {
    const reads = at === undefined ? repo : 'branch' in at ? repo.branch(at.branch) : await trees.find(at);
    return reads === GONE ? GONE : read(reads);
  };
  const withTree = async <T>(ref: TreeRef, use: (tree: StoredTree) => Promise<T>): Promise<T | Gone> => {
    const tree = await trees.find(ref);
    return tree === GONE ? GONE : use(tree);
  };
  const handlers: Handlers<ServerMethods> = {
    info: () => repo.info(),
    get: (_, at, collection, rkey) => readAt(at, (reads) => reads.getStored(collection, rkey)),
    collections: (_, at) => readAt(at, (reads) => reads.collections()),
    page: (_, ...params) => trees.page(...params),
    leave: async (_, list) => trees.leave(list),
    checkout: (_, at) => trees.checkout(at),
    commit: (context, ref, options) => withTree(ref, (tree) => repo.commit(tree, givenOptions(peer, context, options))),
    edit: (_, ref, edit, key) =>
      withTree(ref, async (tree) => {
        const edited = await editTree(tree, edit);
        if (edited !== tree) {
          trees.keep(key, edited);
        }
        return edited !== tree;
      }),
    subscribe: (_, known) => subscription.start(known),
    unsubscribe: async () => subscription.stop(),
  };
  const peer: Client = new Peer<ClientMethods, ServerMethods>(send, {
    ...passedThrough(
      () => peer,
      '',
      REPO,
      () => repo,
    ),
    ...passedThrough(
      () => peer,
      'meta.',
      META,
      () => repo.meta,
    ),
    ...passedThrough(
      () => peer,
      'branch.',
      BRANCH,
      (params) => repo.branch(params.shift() as string),
    ),
    ...handlers,
  });
  return {
    receive: (message) => peer.receive(message),
    idle: () => peer.idle(),
    end() {
      subscription.stop();
      trees.end();
      peer.end(new RepoError('Closed', 'the page that asked was closed'));
    },
  };
};
