/** What a client asks about branches. */
import type { Repo, WriteOp } from '../../core/repo/repo.ts';
import type { BranchWriteOptions } from '../../core/repo/branch.ts';
import type { Handlers } from './peer.ts';
import type { ServerMethods, WireOp, WireWriteOptions } from './protocol.ts';

type BranchMethods = Pick<ServerMethods, Extract<keyof ServerMethods, `branch${string}`>>;

/** Nobody signs the commits of a branch. */
const unsigned = ({ signer: _, allowOtherKey: __, ...options }: WireWriteOptions): BranchWriteOptions => options;

export const branchHandlers = (repo: Repo): Handlers<BranchMethods> => ({
  branchHead: async (_, name) => repo.branch(name).head(),
  branchBase: async (_, name) => repo.branch(name).base(),
  async branchGet(_, name, collection, rkey) {
    const found = await repo.branch(name).get(collection, rkey);
    return found && { uri: found.uri, cid: found.cid, rkey, bytes: found.bytes };
  },
  branchCollections: async (_, name) => repo.branch(name).collections(),
  branchWrite: async (_, name, ops, options) =>
    repo.branch(name).write(ops as readonly (WireOp & WriteOp)[], unsigned(options)),
  branchPut: async (_, name, collection, rkey, value, options) =>
    repo.branch(name).put(collection, rkey, value, unsigned(options)),
  branchDelete: async (_, name, collection, rkey, options) =>
    repo.branch(name).delete(collection, rkey, unsigned(options)),
  branchDiscard: async (_, name) => repo.branch(name).discard(),
});
