/** The implementation of `Repo` over a block store and a blob store. */
import type { BackupOptions } from './transfer/backup-manifest.ts';
import type { BackupFile } from '../storage/backup-file.ts';
import type { BlobRef } from '../data/blob-ref.ts';
import type { Bytes } from '../data/bytes.ts';
import type { LogOptions, PutResult, RecommitOptions, RecommitResult, ResetOptions, ResetResult } from './commits.ts';
import type { CID } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
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
import type { RepairOptions, RepairReport } from './care/repair-report.ts';
import type { LazyBlobSource } from '../storage/blob-source.ts';
import { isPending, openSource } from '../storage/blob-source.ts';
import { backupRepo } from './transfer/backup.ts';
import { getBlob, listBlobs, missingBlobs, putBlob } from './read/blobs.ts';
import { exportCar } from './transfer/export.ts';
import { collectGarbage } from './care/garbage.ts';
import { assertCid, assertWriteOptions } from './write/argument-checks.ts';
import type { RepoMeta } from './write/meta.ts';
import { assertMetaValues, createMeta } from './write/meta.ts';
import { diffStates } from './read/diff-states.ts';
import { listRefs, logCommits, removeRef, setRef } from './read/history.ts';
import { checkOut } from './write/checked-out.ts';
import { importCar } from './transfer/import.ts';
import { importChanges } from './transfer/import-changes.ts';
import { repoInfo } from './read/info.ts';
import { listHead, withHead } from './read/head-view.ts';
import { checkoutPinned } from './read/named-state.ts';
import type { RepoParts } from './open-parts.ts';
import { readHead } from './read/head.ts';
import { listCollections } from './read/collection-counts.ts';
import type { OtherHeads } from './read/other-heads.ts';
import { notifyOfOtherHeads } from './read/other-heads.ts';
import { findManyRecords, findManyStored } from './read/many-records.ts';
import { findRecord, findStored, listRecords } from './read/records.ts';
import { giveAccess } from './repo-access.ts';
import { RepoMethods } from './repo-methods.ts';
import { repairRepo } from './care/repair.ts';
import { RepoTree } from './write/tree.ts';
import { verifyRepo } from './care/verify.ts';
import { withClock } from './write/clock-ahead.ts';
import { LocalBranch } from './write/local-branch.ts';
import { recommitHead } from './write/recommit.ts';
import { resetHead } from './write/reset.ts';
import { pathOf } from './path.ts';
import type { AppliedEvent, ApplyEventOptions } from './proof/applied-event.ts';
import { applyEvent } from './proof/apply-event.ts';
import type { CommitEvent, SyncEvent } from './proof/commit-event.ts';
import { ProofMethods } from './proof/proof-methods.ts';
import { readBytes, restoreRecord } from './write/restore.ts';
import type { Put } from './write/write.ts';
import type { NamedState, StoredRecord, StoredRepo } from './stored-records.ts';
import type { RepoStores } from './stores.ts';
import { partsOf } from './stores.ts';
import { commitTree, deleteRecord, putRecord, writeOps } from './write/write.ts';

/** Returns a repository over open stores. Reads nothing. */
export const repoOver = (stores: RepoStores): Repo => storedRepoOver(stores);

/** The same, for who hands records on as they are stored. */
export const storedRepoOver = (stores: RepoStores): StoredRepo => new LocalRepo(partsOf(stores), stores.otherHeads);

const putWithClock = ({ uri, cid, commit }: Put): PutResult => {
  const { clockAhead } = withClock(commit);
  return clockAhead === undefined ? { uri, cid, commit } : { uri, cid, commit: { ...commit, clockAhead }, clockAhead };
};

class LocalRepo extends ProofMethods implements StoredRepo {
  readonly #held: RepoParts;
  readonly meta: RepoMeta;
  readonly #otherHeads: OtherHeads | undefined;
  #endOtherHeads: (() => void) | undefined;
  #isClosed = false;

  constructor(parts: RepoParts, otherHeads: OtherHeads | undefined) {
    super(() => this.#parts);
    this.#held = parts;
    this.#otherHeads = otherHeads;
    giveAccess(this, { parts: () => this.#parts });
    this.meta = createMeta(() => this.#parts.store);
  }

  get did(): string {
    return this.#held.did;
  }

  /**
   * The parts, unless the repository is closed. The stores also refuse calls after `close`, but their error has no DID.
   */
  get #parts(): RepoParts {
    if (this.#isClosed) {
      throw new RepoError('Closed', `the repository is closed: open it again to use it; did=${this.did}`);
    }
    return this.#held;
  }

  async head(): Promise<Head | undefined> {
    return readHead(this.#parts);
  }

  async info(): Promise<RepoInfo> {
    return repoInfo(this.#parts);
  }

  override async get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    return withHead(this.#parts, (view) => findRecord(view, collection, rkey));
  }

  async getStored(collection: string, rkey: string): Promise<StoredRecord | undefined> {
    return withHead(this.#parts, (view) => findStored(view, collection, rkey));
  }

  async getMany(paths: readonly string[]): Promise<(FoundRecord | undefined)[]> {
    return withHead(this.#parts, (view) => findManyRecords(view, paths));
  }

  async getManyStored(paths: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return withHead(this.#parts, (view) => findManyStored(view, paths));
  }

  override async *list(collection?: string | ListOptions, options?: ListOptions): AsyncGenerator<RecordEntry> {
    yield* listHead(this.#parts, (view) => listRecords(view, collection, options));
  }

  async collections(): Promise<CollectionCount[]> {
    return withHead(this.#parts, (view) => listCollections(this.#parts, view));
  }

  override async write(ops: readonly WriteOp[], options?: WriteOptions): Promise<WriteResult> {
    assertWriteOptions(options, ops);
    return withClock(await writeOps(this.#parts, ops, options));
  }

  async put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
    options?: WriteOptions,
  ): Promise<PutResult> {
    assertWriteOptions(options);
    return putWithClock(await putRecord(this.#parts, collection, rkey, value, options));
  }

  async getBytes(path: string, rkey?: string): Promise<Bytes | undefined> {
    return readBytes(this.#parts, pathOf(path, rkey));
  }

  async applyEvent(event: CommitEvent | SyncEvent, options?: ApplyEventOptions): Promise<AppliedEvent> {
    assertMetaValues(options?.meta);
    const { result, isNew } = await applyEvent(this.#parts, event, options);
    if (isNew) {
      await this.#held.listeners.notify(result.commit!, result.changes);
    }
    return result;
  }

  async restore(path: string, at: string | CID, options?: WriteOptions): Promise<PutResult> {
    assertWriteOptions(options);
    return putWithClock(await restoreRecord(this.#parts, pathOf(path, undefined), at, options));
  }

  async delete(collection: string, rkey: string, options?: WriteOptions): Promise<CommitRef | undefined> {
    assertWriteOptions(options);
    const commit = await deleteRecord(this.#parts, collection, rkey, options);
    return commit && withClock(commit);
  }

  async checkout(at?: string | CID): Promise<RepoTree> {
    return RepoTree.checkout(this.#parts, await checkOut(this.#parts, at));
  }

  async checkoutPinned(state: NamedState): Promise<{ readonly tree: RepoTree; readonly release: () => void }> {
    return checkoutPinned(this.#parts, state);
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
      await this.#held.listeners.notify(commit, transition);
    }
    return withClock(commit);
  }

  async reset(target: string | CID, options?: ResetOptions): Promise<ResetResult> {
    assertWriteOptions(options);
    const { result, transition } = await resetHead(this.#parts, target, options);
    if (transition !== undefined) {
      await this.#held.listeners.notify(result, transition, true);
    }
    return withClock(result);
  }

  async recommit(options: RecommitOptions): Promise<RecommitResult> {
    assertWriteOptions(options);
    const result = await recommitHead(this.#parts, options);
    await this.#held.listeners.notify(result, [], true);
    return result;
  }

  branch(name: string): LocalBranch {
    return new LocalBranch(name, () => this.#parts);
  }

  async *log(options?: LogOptions): AsyncGenerator<LogEntry> {
    yield* logCommits(this.#parts, options);
  }

  async *diff(...states: Parameters<Repo['diff']>): AsyncGenerator<RecordChange> {
    yield* diffStates(this.#parts, ...states);
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
    const { result, transition, isReset } = await importCar(this.#parts, source, options);
    if (transition !== undefined) {
      await this.#held.listeners.notify({ cid: result.head, rev: result.rev }, transition, isReset);
    }
    return { ...result, changes: importChanges(result.changes, (...states) => this.diff(...states)) };
  }

  exportCar(options?: ExportOptions): ReadableStream<Uint8Array> {
    // Not `#parts`: after `close` the stream fails, not this call.
    return exportCar(this.#held, options);
  }

  async putBlob(source: LazyBlobSource, options?: PutBlobRefOptions): Promise<BlobRef> {
    return putBlob(this.#parts, isPending(source) ? await openSource(source) : source, options);
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
      await this.#held.listeners.notify({ cid: report.head!, rev: report.rev! }, transition);
    }
    return report;
  }

  async *backup(options?: BackupOptions): AsyncGenerator<BackupFile> {
    yield* backupRepo(this.#parts, options);
  }

  async gc(options?: GarbageOptions): Promise<GarbageResult> {
    return collectGarbage(this.#parts, options);
  }

  override onChange(listener: (change: HeadChange) => void): () => void {
    if (this.#otherHeads !== undefined && !this.#isClosed) {
      this.#endOtherHeads ??= notifyOfOtherHeads(this.#held, this.#otherHeads);
    }
    return this.#held.listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endOtherHeads?.();
    RepoMethods.endWatches(this);
    await this.#held.blobs.close();
    try {
      await this.#held.store.close();
    } finally {
      // A closed repository that is still referenced keeps nothing in memory.
      this.#held.nodes.clear();
      this.#held.records.clear();
      this.#held.heads.last = undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
