/** A repository that answers a client at the other end of a wire. */
import { RepoError } from '../../core/errors.ts';
import type { FoundRecord, Repo, Tree, WriteOp, WriteOptions } from '../../core/repo/repo.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { Handlers, Send } from './peer.ts';
import { Peer } from './peer.ts';
import type {
  ClientMethods,
  Gone,
  Message,
  ServerMethods,
  TreeRef,
  WireOp,
  WireRecord,
  WireSigner,
  WireWriteOptions,
} from './protocol.ts';
import { GONE } from './protocol.ts';
import { createServerLists } from './server-lists.ts';
import type { ServerTrees } from './server-trees.ts';
import { createServerTrees, editTree } from './server-trees.ts';
import { branchHandlers } from './server-branches.ts';
import { takeSource } from './sources.ts';
import type { Subscription } from './subscription.ts';
import { createSubscription } from './subscription.ts';

/** One client, being answered. */
export interface Served {
  receive(message: Message): void;
  /** Resolves when what the client has asked for so far has ended. */
  idle(): Promise<void>;
  /** Forgets the client, and stops what runs for it. The repository stays open. */
  end(): void;
}

type Client = Peer<ClientMethods, ServerMethods>;

const toWire = (rkey: string, { uri, cid, bytes }: Pick<FoundRecord, 'bytes' | 'cid' | 'uri'>): WireRecord => ({
  uri,
  cid,
  rkey,
  bytes,
});

/** The client's signer. If the client goes, the question fails, and with it the write that waits for the answer. */
const signerOf = (client: Client, { id, did }: WireSigner): Signer => ({
  sign: (bytes) => client.call('sign', [id, bytes]),
  ...(did === undefined ? {} : { did: () => did }),
});

const writeOptions = (client: Client, { signer, ...options }: WireWriteOptions): WriteOptions => ({
  ...options,
  signer: signer && signerOf(client, signer),
});

const withTree = async <T>(trees: ServerTrees, ref: TreeRef, use: (tree: Tree) => Promise<T>): Promise<T | Gone> => {
  const tree = await trees.find(ref);
  return tree === GONE ? GONE : use(tree);
};

const handlersOf = (
  repo: Repo,
  client: () => Client,
  subscription: Subscription,
): Handlers<ServerMethods> & { readonly close: () => void } => {
  const trees = createServerTrees(repo);
  const lists = createServerLists(repo, trees);
  return {
    head: () => repo.head(),
    info: () => repo.info(),
    async get(_, collection, rkey) {
      const found = await repo.get(collection, rkey);
      return found && toWire(rkey, found);
    },
    collections: () => repo.collections(),
    write: (_, ops, options) => repo.write(ops as readonly (WireOp & WriteOp)[], writeOptions(client(), options)),
    put: (_, collection, rkey, value, options) => repo.put(collection, rkey, value, writeOptions(client(), options)),
    delete: (_, collection, rkey, options) => repo.delete(collection, rkey, writeOptions(client(), options)),
    checkout: (_, at) => trees.checkout(at),
    commit: (_, ref, options) => withTree(trees, ref, (tree) => repo.commit(tree, writeOptions(client(), options))),
    getBytes: (_, path) => repo.getBytes(path),
    restore: (_, path, at, options) => repo.restore(path, at, writeOptions(client(), options)),
    reset: (_, target, options) => repo.reset(target, options),
    recommit: (_, rev, options) => repo.recommit({ ...writeOptions(client(), options), rev }),
    ...branchHandlers(repo),

    refs: () => repo.refs(),
    getMeta: (_, name) => repo.meta.get(name),
    setMeta: (_, name, value) => repo.meta.set(name, value),
    setRef: (_, name, target) => repo.setRef(name, target),
    removeRef: (_, name) => repo.removeRef(name),
    importCar: ({ signal, onProgress }, source, options) =>
      repo.importCar(takeSource(source, client()), { ...options, signal, onProgress }),
    putBlob: ({ signal }, source, options) => repo.putBlob(takeSource(source, client()), { ...options, signal }),
    getBlob: (_, cid) => repo.getBlob(cid),
    verify: ({ signal, onProgress }, options) => repo.verify({ ...options, signal, onProgress }),
    repair: ({ signal, onProgress }, options) => repo.repair({ ...options, signal, onProgress }),
    gc: (_, options) => repo.gc(options),

    treeGet: (_, ref, collection, rkey) =>
      withTree(trees, ref, async (tree) => {
        const found = await tree.get(collection, rkey);
        return found && toWire(rkey, found);
      }),
    treeCollections: (_, ref) => withTree(trees, ref, (tree) => tree.collections()),
    treeEdit: (_, ref, edit, key) =>
      withTree(trees, ref, async (tree) => {
        const edited = await editTree(tree, edit);
        if (edited === tree) {
          return false;
        }
        trees.keep(key, edited);
        return true;
      }),

    open: ({ onProgress }, handle, list) => lists.open(handle, list, onProgress),
    next: ({ onProgress }, handle) => lists.next(handle, onProgress),
    leave: async (_, handle) => lists.leave(handle),
    subscribe: (_, known) => subscription.start(known),
    unsubscribe: async () => subscription.stop(),
    close: () => lists.close(),
  };
};

/** Answers a client. @param send Carries messages to it, in order. */
export const serveRepo = (repo: Repo, send: Send): Served => {
  const subscription = createSubscription(repo, (change) => peer.tell(change));
  const { close, ...handlers } = handlersOf(repo, () => peer, subscription);
  const peer: Client = new Peer<ClientMethods, ServerMethods>(send, handlers);
  return {
    receive: (message) => peer.receive(message),
    idle: () => peer.idle(),
    end() {
      subscription.stop();
      close();
      peer.end(new RepoError('Closed', 'the page that asked is gone'));
    },
  };
};
