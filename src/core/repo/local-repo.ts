/** A repository over a block store and a blob store, in the same place as both. */
import type { BackupOptions } from './transfer/backup-manifest.ts';
import type { BackupFile } from '../storage/backup-file.ts';
import type { BlobRef } from '../data/blob-ref.ts';
import type { CID } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import type { VerifySignature } from '../crypto/keys.ts';
import { verifySignature as verifyInJavaScript } from '../crypto/keys.ts';
import type { NodeBudget } from '../mst/node-cache.ts';
import { createNodeReader } from '../mst/node-reader.ts';
import type {
  ExportOptions,
  GarbageOptions,
  GarbageResult,
  ImportOptions,
  ImportResult,
  VerifyOptions,
  VerifyReport,
} from './long-work.ts';
import type { CarSource } from '../car/source.ts';
import type {
  CollectionCount,
  CommitRef,
  FoundRecord,
  Head,
  HeadChange,
  ListOptions,
  LogEntry,
  MissingBlob,
  PutBlobRefOptions,
  RecordChange,
  RecordEntry,
  RecordValue,
  Repo,
  RepoInfo,
  StoredBlob,
  Tree,
  WriteOp,
  WriteOptions,
  WriteResult,
} from './repo.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import type { RepairOptions, RepairReport } from './care/repair-report.ts';
import type { Signer } from '../crypto/signer.ts';
import type { BlobStore, BlockStore } from '../storage/ports.ts';
import { createTidClock } from '../syntax/tid.ts';
import type { LazyBlobSource } from '../storage/blob-source.ts';
import { isPending, settledSource } from '../storage/blob-source.ts';
import { backupRepo } from './transfer/backup.ts';
import { getBlob, listBlobs, missingBlobs, putBlob } from './read/blobs.ts';
import { exportCar } from './transfer/export.ts';
import { collectGarbage } from './care/garbage.ts';
import { assertCid, assertWriteOptions } from './write/argument-checks.ts';
import type { RepoMeta } from './write/meta.ts';
import { assertMetaValues, createMeta } from './write/meta.ts';
import { diffStates, listRefs, logCommits, removeRef, setRef } from './read/history.ts';
import { checkOut } from './write/checked-out.ts';
import { importCar } from './transfer/import.ts';
import { repoInfo } from './read/info.ts';
import type { Listeners } from './read/listeners.ts';
import { createListeners } from './read/listeners.ts';
import { listHead, withHead } from './read/head-view.ts';
import { Pins } from './care/pins.ts';
import type { RepoParts } from './open-parts.ts';
import { readHead } from './read/head.ts';
import { countCollections, findRecord, listRecords } from './read/records.ts';
import { repairRepo } from './care/repair.ts';
import { RepoTree } from './write/tree.ts';
import { verifyRepo } from './care/verify.ts';
import { commitTree, deleteRecord, putRecord, writeOps } from './write/write.ts';

/** What a door has opened. The repository owns both stores from then on, and closes them. */
export interface RepoStores {
  readonly did: string;
  readonly store: BlockStore;
  readonly blobs: BlobStore;
  readonly signer?: Signer | undefined;
  /** Hashes many messages at once; one by one in JavaScript when left out. `createHashAll` makes a faster one. */
  readonly hashAll?: HashAll | undefined;
  /** Checks signatures; in JavaScript when left out. */
  readonly verifySignature?: VerifySignature | undefined;
  /**
   * Called often and awaited in the middle of long work. It lets the event loop run, so that a worker receives
   * messages while it works. Without it, long work does not yield.
   */
  readonly yieldToEvents?: (() => Promise<void>) | undefined;
  /** Bounds the memory of tree nodes, here and in other repositories that are given the same one. */
  readonly nodeBudget?: NodeBudget | undefined;
}

const neverYield = async (): Promise<void> => {};

/** A repository over stores that are open. Reads nothing yet. */
export const repoOver = (stores: RepoStores): Repo => {
  const {
    did,
    store,
    blobs,
    signer,
    hashAll = hashOneByOne,
    verifySignature = verifyInJavaScript,
    yieldToEvents = neverYield,
    nodeBudget,
  } = stores;
  const nodes = createNodeReader(store, { hashAll, budget: nodeBudget });
  return new LocalRepo({
    did,
    store,
    blobs,
    signer,
    hashAll,
    verifySignature,
    yieldToEvents,
    nodes,
    clock: createTidClock(),
    pins: new Pins(),
    storedBlobs: new Map(),
    heads: { last: undefined },
  });
};

class LocalRepo implements Repo {
  readonly #held: RepoParts;
  readonly #listeners: Listeners;
  readonly meta: RepoMeta;
  #isClosed = false;

  constructor(parts: RepoParts) {
    this.#held = parts;
    this.#listeners = createListeners(parts.nodes);
    this.meta = createMeta(() => this.#parts.store);
  }

  get did(): string {
    return this.#held.did;
  }

  /**
   * What every method works on. The stores refuse what comes after `close`, too, and know nothing of whose they are.
   */
  get #parts(): RepoParts {
    if (this.#isClosed) {
      throw new RepoError('Closed', `the repository is closed; did=${this.did}`);
    }
    return this.#held;
  }

  async head(): Promise<Head | undefined> {
    return readHead(this.#parts);
  }

  async info(): Promise<RepoInfo> {
    return repoInfo(this.#parts);
  }

  async get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    return withHead(this.#parts, (view) => findRecord(view, collection, rkey));
  }

  async *list(collection: string, options?: ListOptions): AsyncGenerator<RecordEntry> {
    yield* listHead(this.#parts, (view) => listRecords(view, collection, options));
  }

  async collections(): Promise<CollectionCount[]> {
    return withHead(this.#parts, countCollections);
  }

  async write(ops: readonly WriteOp[], options?: WriteOptions): Promise<WriteResult> {
    assertWriteOptions(options, ops);
    const { result, changes } = await writeOps(this.#parts, ops, options);
    if (changes !== undefined) {
      await this.#listeners.tell(result, changes);
    }
    return result;
  }

  async put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
    options?: WriteOptions,
  ): Promise<{ readonly uri: string; readonly cid: CID; readonly commit: CommitRef }> {
    assertWriteOptions(options);
    const { uri, cid, commit, made } = await putRecord(this.#parts, collection, rkey, value, options);
    if (made !== undefined) {
      await this.#listeners.tell(made, made.changes);
    }
    return { uri, cid, commit };
  }

  async delete(collection: string, rkey: string, options?: WriteOptions): Promise<CommitRef | undefined> {
    assertWriteOptions(options);
    const { commit, made } = await deleteRecord(this.#parts, collection, rkey, options);
    if (made !== undefined) {
      await this.#listeners.tell(made, made.changes);
    }
    return commit;
  }

  async checkout(at?: string | CID): Promise<Tree> {
    return RepoTree.checkout(this.#parts, await checkOut(this.#parts, at));
  }

  async commit(tree: Tree, options?: WriteOptions): Promise<CommitRef> {
    assertWriteOptions(options);
    const edited = RepoTree.of(tree, this.#parts);
    const { commit, transition } = await commitTree(
      this.#parts,
      edited.root,
      await edited.draftBlocks(),
      edited.checkedOut,
      options,
    );
    if (transition !== undefined) {
      await this.#listeners.tell(commit, transition);
    }
    return commit;
  }

  async *log(): AsyncGenerator<LogEntry> {
    yield* logCommits(this.#parts);
  }

  async *diff(from: string | CID | undefined, to?: string | CID): AsyncGenerator<RecordChange> {
    yield* diffStates(this.#parts, from, to);
  }

  async refs(): Promise<ReadonlyMap<string, CID>> {
    return listRefs(this.#parts);
  }

  async setRef(name: string, target: string | CID): Promise<void> {
    return setRef(this.#parts, name, target);
  }

  async removeRef(name: string): Promise<boolean> {
    return removeRef(this.#parts, name);
  }

  async importCar(source: CarSource, options?: ImportOptions): Promise<ImportResult> {
    assertMetaValues(options?.meta);
    const { result, transition } = await importCar(this.#parts, source, options);
    if (transition !== undefined) {
      await this.#listeners.tell({ cid: result.head, rev: result.rev }, transition);
    }
    return result;
  }

  exportCar(options?: ExportOptions): ReadableStream<Uint8Array> {
    // As it was handed over: the stream is what fails, and the store says why.
    return exportCar(this.#held, options);
  }

  async putBlob(source: LazyBlobSource, options?: PutBlobRefOptions): Promise<BlobRef> {
    return putBlob(this.#parts, isPending(source) ? await settledSource(source) : source, options);
  }

  async getBlob(cid: CID): Promise<Blob | undefined> {
    assertCid(cid, 'cid');
    return getBlob(this.#parts, cid);
  }

  async *blobs(): AsyncGenerator<StoredBlob> {
    yield* listBlobs(this.#parts);
  }

  async *missingBlobs(): AsyncGenerator<MissingBlob> {
    yield* missingBlobs(this.#parts);
  }

  async verify(options?: VerifyOptions): Promise<VerifyReport> {
    return verifyRepo(this.#parts, options);
  }

  async repair(options?: RepairOptions): Promise<RepairReport> {
    const { report, transition } = await repairRepo(this.#parts, options);
    if (transition !== undefined) {
      await this.#listeners.tell({ cid: report.head!, rev: report.rev! }, transition);
    }
    return report;
  }

  async *backup(options?: BackupOptions): AsyncGenerator<BackupFile> {
    yield* backupRepo(this.#parts, options);
  }

  async gc(options?: GarbageOptions): Promise<GarbageResult> {
    return collectGarbage(this.#parts, options);
  }

  onChange(listener: (change: HeadChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#held.blobs.close();
    try {
      await this.#held.store.close();
    } finally {
      // A repository that is closed and still referenced holds no nodes.
      this.#held.nodes.clear();
      this.#held.heads.last = undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
