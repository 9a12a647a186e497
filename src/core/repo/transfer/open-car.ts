/** Opens a CAR as a read-only repository, in memory. */
import { ArenaBlocks } from '../../blocks/arena-blocks.ts';
import type { CarOptions } from '../../car/decoder.ts';
import { readPackedCar } from '../../car/reader.ts';
import type { CarSource } from '../../car/source.ts';
import type { Bytes } from '../../data/bytes.ts';
import type { CID, CidLike } from '../../data/cid.ts';
import { bytesOfCid, cidToText, decodeCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { MemoryBlobStore } from '../../storage/memory-blob-store.ts';
import type { BlobInfo, BlockStore, CommitRange } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Commit } from '../commit.ts';
import type { Progress } from '../long-work.ts';
import { repoOver } from '../local-repo.ts';
import { readOnlyError, readOnlyRepo } from '../read-only.ts';
import { MAIN } from '../store-names.ts';
import type { Repo } from '../repo.ts';
import { decodeRootCommit, noRoot, rootMissing } from '../root-commit.ts';

export interface OpenCarOptions extends CarOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called repeatedly while the CAR is read. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const CANNOT_WRITE = 'cannot write to a CAR: import it into a repository, and write to that';

const refuse = async (): Promise<never> => {
  throw readOnlyError(CANNOT_WRITE);
};

/** A store over the blocks of a CAR. Its root is the head and the only commit. */
class CarStore implements BlockStore {
  readonly exclusive = true;
  readonly #blocks: ArenaBlocks;
  readonly #root: CID;
  readonly #rev: Tid;
  #isClosed = false;

  constructor(blocks: ArenaBlocks, root: CID, { rev }: Commit) {
    this.#blocks = blocks;
    this.#root = root;
    this.#rev = rev;
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    return this.#find(cid);
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    return cids.map((cid) => this.#find(cid));
  }

  async ref(name: string): Promise<CID | undefined> {
    this.#assertOpen();
    return name === MAIN ? this.#root : undefined;
  }

  async *refs(): AsyncGenerator<[name: string, cid: CID]> {
    this.#assertOpen();
    yield [MAIN, this.#root];
  }

  async meta(): Promise<undefined> {
    this.#assertOpen();
    return undefined;
  }

  async *metaEntries(): AsyncGenerator<[name: string, value: string]> {
    this.#assertOpen();
    yield* [];
  }

  async commit(rev: Tid): Promise<CID | undefined> {
    this.#assertOpen();
    return rev === this.#rev ? this.#root : undefined;
  }

  async *commits({ after, before }: CommitRange = {}): AsyncGenerator<[rev: Tid, cid: CID]> {
    this.#assertOpen();
    if ((after === undefined || this.#rev > after) && (before === undefined || this.#rev < before)) {
      yield [this.#rev, this.#root];
    }
  }

  async *cids(): AsyncGenerator<CID> {
    this.#assertOpen();
    const all = Array.from({ length: this.#blocks.size }, (_, i) => decodeCid(this.#blocks.cidAt(i).slice()));
    const texts = new Map(all.map((cid) => [cidToText(cid), cid]));
    for (const text of [...texts.keys()].sort()) {
      yield texts.get(text)!;
    }
  }

  async count(): Promise<number> {
    this.#assertOpen();
    return this.#blocks.size;
  }

  transact(): Promise<never> {
    return refuse();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#blocks.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #find(cid: CidLike): Bytes | undefined {
    this.#assertOpen();
    return this.#blocks.find(bytesOfCid(cid)) as Bytes | undefined;
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the CAR is closed: open it again to read it');
    }
  }
}

/** An empty blob store, because a CAR has no blobs. */
class NoBlobs extends MemoryBlobStore {
  override put(): Promise<BlobInfo> {
    return refuse();
  }
}

/**
 * Opens a CAR as a read-only repository: `get`, `list`, `info`, `log`, `diff`, `checkout`, `exportCar` and
 * `missingBlobs`. Reads all of it into memory, until `close`, and checks every hash. The tree and records are checked
 * when they are read, so an incomplete CAR can be opened; `verifyCar` checks all of it. Methods that write reject with
 * `ReadOnly`.
 * @throws {RepoError} `Malformed` when the source is not a CAR, a block does not match its CID, or the root is not a
 *   commit; `BlockNotFound` when the CAR does not contain its commit; `LimitExceeded`.
 */
export const openCar = async (source: CarSource, options: OpenCarOptions = {}): Promise<Repo> => {
  const { signal, onProgress, ...limits } = options;
  const car = await readPackedCar(source, limits);
  const blocks = ArenaBlocks.for(source);
  let bytes = 0;
  for await (const frames of car) {
    signal?.throwIfAborted();
    blocks.add(frames);
    bytes += frames.size;
    onProgress?.({ phase: 'read', bytes, blocks: blocks.size, records: 0 });
  }
  const [root] = car.roots;
  if (root === undefined) {
    throw noRoot();
  }
  const block = blocks.find(root.bytes);
  if (block === undefined) {
    throw rootMissing(root);
  }
  const commit = decodeRootCommit(root, block);
  const stores = { did: commit.did, store: new CarStore(blocks, root, commit), blobs: new NoBlobs() };
  return readOnlyRepo(repoOver({ ...stores, hashAll: options.hashAll }), { message: CANNOT_WRITE });
};
