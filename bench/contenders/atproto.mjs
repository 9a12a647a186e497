// The reference implementation, @atproto/repo.
import { Secp256k1Keypair } from '@atproto/crypto';
import {
  BlockMap,
  DataDiff,
  MST,
  MemoryBlockstore,
  ReadableBlockstore,
  Repo,
  WriteOpAction,
  getFullRepo,
  readCarWithRoot,
  verifyRepoCar,
} from '@atproto/repo';

export { BlockMap, DataDiff, MST, MemoryBlockstore, Repo, WriteOpAction, getFullRepo, readCarWithRoot, verifyRepoCar };

export const keypairOf = (hex) => Secp256k1Keypair.import(hex);

/** A storage of @atproto/repo over anything with `get` and `put` by the text of a CID. */
export class StorageOver extends ReadableBlockstore {
  constructor(blocks, root) {
    super();
    this.blocks = blocks;
    this.root = root;
  }
  async getRoot() {
    return this.root;
  }
  async getBytes(cid) {
    return this.blocks.get(cid.toString()) ?? null;
  }
  async has(cid) {
    return (await this.getBytes(cid)) !== null;
  }
  async getBlocks(cids) {
    const blocks = new BlockMap();
    const missing = [];
    for (const cid of cids) {
      const bytes = await this.getBytes(cid);
      if (bytes === null) {
        missing.push(cid);
      } else {
        blocks.set(cid, bytes);
      }
    }
    return { blocks, missing };
  }
  async putBlock(cid, bytes) {
    this.blocks.put(cid.toString(), bytes);
  }
  async putMany(map) {
    map.forEach((bytes, cid) => this.blocks.put(cid.toString(), bytes));
  }
  async updateRoot(cid) {
    this.root = cid;
  }
  async applyCommit(commit) {
    this.blocks.transact(() => commit.newBlocks.forEach((bytes, cid) => this.blocks.put(cid.toString(), bytes)));
    this.root = commit.cid;
  }
}

/** Puts all blocks of a CAR into the storage of the package. */
export const inMemory = async (car) => {
  const { root, blocks } = await readCarWithRoot(car);
  const storage = new MemoryBlockstore(blocks);
  storage.root = root;
  return { root, storage, blocks };
};
