/** A `Repo` whose repository is at the other end of a wire. */
import type { BackupOptions } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import type { BlobRef } from '../../core/data/blob-ref.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import type {
  ExportOptions,
  GarbageOptions,
  GarbageResult,
  ImportOptions,
  ImportResult,
  VerifyOptions,
  VerifyReport,
} from '../../core/repo/long-work.ts';
import type { CarSource } from '../../core/car/source.ts';
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
} from '../../core/repo/repo.ts';
import type { RepairOptions, RepairReport } from '../../core/repo/care/repair-report.ts';
import type { Branch } from '../../core/repo/branch.ts';
import type { PutResult, RecommitOptions, RecommitResult, ResetOptions, ResetResult } from '../../core/repo/commits.ts';
import { pathOf, recordPath } from '../../core/repo/path.ts';
import { RepoMethods } from '../../core/repo/repo-methods.ts';
import { assertWriteOptions } from '../../core/repo/write/argument-checks.ts';
import { RemoteBranch } from './client-branch.ts';
import type { RepoMeta } from '../../core/repo/write/meta.ts';
import { assertMetaValue } from '../../core/repo/write/meta.ts';
import type { LazyBlobSource } from '../../core/storage/blob-source.ts';
import { walkBackup } from './client-backup.ts';
import { createClientChanges } from './client-changes.ts';
import { exportStream } from './client-export.ts';
import type { Compare, ListServer } from './client-lists.ts';
import { byCid, byName, byPath, byUri, newestFirst, walkList } from './client-lists.ts';
import type { TreeServer } from './client-tree.ts';
import { askTree } from './ask-tree.ts';
import { RemoteTree, foundRecord, treeServer } from './client-tree.ts';
import { listRecords } from './client-tree-lists.ts';
import type { WritesOptions } from './client-writes.ts';
import { ClientCalls, UNREPEATABLE } from './client-calls.ts';
import { sendBlob, sendCar } from './client-sources.ts';
import { wireKey } from './wire-key.ts';
import type { Send } from './peer.ts';
import type { Attachment, Message, OpenList, Page, WireOp } from './protocol.ts';

export interface RemoteRepoOptions extends WritesOptions {
  /**
   * Tells the other end that this one goes; what it has still to answer comes before this resolves. Rejects when
   * closing failed.
   */
  hangUp(): Promise<void>;
  /** Whether the browser keeps what is stored when room gets short. */
  readonly isPersistent?: (() => Promise<boolean>) | undefined;
}

export class RemoteRepo extends RepoMethods implements Repo {
  readonly did: string;
  readonly meta: RepoMeta;
  readonly #options: RemoteRepoOptions;
  readonly #attachment: Attachment;
  readonly #calls: ClientCalls;
  readonly #changes: ReturnType<typeof createClientChanges>;
  readonly #lists: ListServer;
  readonly #trees: TreeServer;
  #numbers = 0;
  #closing: Promise<void> | undefined;
  constructor(attachment: Attachment, send: Send, options: RemoteRepoOptions) {
    super();
    this.did = attachment.did;
    this.#attachment = attachment;
    this.#options = options;
    this.#calls = new ClientCalls(send, options, attachment.rev, (change) => this.#hear(change as HeadChange));
    this.#changes = createClientChanges({
      subscribe: (known) => this.#calls.call('subscribe', [known], { moved: 'lost' }),
      unsubscribe: () => this.#calls.tell('unsubscribe', []),
      rev: () => this.#calls.rev,
      isClosed: () => this.#calls.isClosed,
    });
    this.#lists = {
      // Only lists of trees can be gone when they begin.
      open: (handle, list, onProgress) =>
        this.#calls.call('open', [handle, list], { onProgress }) as Promise<Page<unknown>>,
      next: (handle, onProgress) => this.#calls.call('next', [handle], { onProgress }),
      leave: (handle) => this.#calls.tell('leave', [handle]),
    };
    this.meta = {
      get: (name) => this.#calls.call('getMeta', [name]),
      set: async (name, value) => {
        assertMetaValue(name, value);
        await this.#calls.call('setMeta', [name, value], UNREPEATABLE);
      },
      list: (prefix) => this.#walk({ of: 'meta', prefix }, byName),
    };
    this.#trees = treeServer(
      (method, params) => this.#calls.call(method, params),
      (handle) => this.#calls.tell('leave', [handle]),
      () => this.#numbers++,
      this.#calls.writes,
    );
  }

  /** A message of the other end. */
  receive(message: Message): void {
    this.#calls.receive(message);
  }

  /** Somebody else answers from now on: what is open is asked anew, and who listens is told what they missed. */
  moved(attachment: Attachment, send: Send): void {
    this.#calls.moved(send);
    this.#changes.moved();
    // Not the greater of the two: the head may have been reset meanwhile.
    this.#calls.noteHead(attachment.rev);
  }

  /** Whoever answers is silent: what waits is not waited for any longer. */
  giveUp(error: unknown): void {
    this.#calls.giveUp(error);
  }

  /** The other end is no more: all that waits, and all that comes, rejects. */
  lost(error: unknown): void {
    this.#closing ??= Promise.resolve();
    this.#calls.lost(error);
    RepoMethods.endWatches(this, error);
  }

  async head(): Promise<Head | undefined> {
    return this.#calls.call('head', []);
  }

  async info(): Promise<RepoInfo> {
    const info = await this.#calls.call('info', []);
    return { ...info, storage: this.#attachment.storage, persistent: await this.#options.isPersistent?.() };
  }

  override async get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    const found = await this.#calls.call('get', [collection, rkey]);
    return found && foundRecord(found);
  }

  override list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry> {
    return listRecords(this.#trees, undefined, collection, options);
  }

  async collections(): Promise<CollectionCount[]> {
    return this.#calls.call('collections', []);
  }

  override async write(ops: readonly WriteOp[], options: WriteOptions = {}): Promise<WriteResult> {
    const encoded: WireOp[] = this.#calls.writes.encode(ops);
    return this.#calls.write(
      'write',
      (wire) => [encoded, wire],
      options,
      (result) => result.rev,
    );
  }

  async put(
    collection: string,
    rkey: string,
    value: RecordValue | Uint8Array,
    options: WriteOptions = {},
  ): Promise<PutResult> {
    recordPath(collection, rkey);
    const bytes = this.#calls.writes.encodeRecord(collection, value);
    return this.#calls.write(
      'put',
      (wire) => [collection, rkey, bytes, wire],
      options,
      ({ commit }) => commit.rev,
    );
  }

  async delete(collection: string, rkey: string, options: WriteOptions = {}): Promise<CommitRef | undefined> {
    return this.#calls.write(
      'delete',
      (wire) => [collection, rkey, wire],
      options,
      (commit) => commit?.rev,
    );
  }

  async getBytes(path: string, rkey?: string): Promise<Bytes | undefined> {
    return this.#calls.call('getBytes', [pathOf(path, rkey)]);
  }

  async restore(path: string, at: string | CID, options: WriteOptions = {}): Promise<PutResult> {
    const whole = pathOf(path, undefined);
    return this.#calls.write(
      'restore',
      (wire) => [whole, at, wire],
      options,
      ({ commit }) => commit.rev,
    );
  }

  async reset(target: string | CID, options: ResetOptions = {}): Promise<ResetResult> {
    assertWriteOptions(options);
    const result = await this.#calls.call('reset', [target, options], UNREPEATABLE);
    this.#calls.noteHead(result.rev);
    return result;
  }

  async recommit({ rev, ...options }: RecommitOptions): Promise<RecommitResult> {
    assertWriteOptions(options);
    const write = this.#calls.writes.prepare(options, this.#calls.rev);
    try {
      const result = await this.#calls.call('recommit', [rev, write.options()], UNREPEATABLE);
      this.#calls.noteHead(result.rev);
      return result;
    } finally {
      write.done();
    }
  }

  branch(name: string): Branch {
    return new RemoteBranch(name, { calls: this.#calls, lists: this.#lists, trees: this.#trees });
  }

  async checkout(at?: string | CID): Promise<Tree> {
    const { base, head } = await this.#calls.call('checkout', [at]);
    return new RemoteTree(this.#trees, { base }, head);
  }

  async commit(tree: Tree, options: WriteOptions = {}): Promise<CommitRef> {
    if (!(tree instanceof RemoteTree) || !tree.isOf(this.#trees)) {
      throw new TypeError('the tree does not come from checkout() of this repository');
    }
    // Said in words: the server that commits it may have checked it out again, under another head.
    const swapCommit = options.swapCommit === undefined ? (tree.head ?? null) : options.swapCommit;
    const request = options.request ?? { id: this.#calls.writes.nameRequest() };
    let asked = 0;
    return askTree(tree, (ref) => {
      // Asked a second time when the server does not know the tree; the first time may have been asked of another one.
      const again = asked++ > 0 ? { since: this.#calls.rev } : undefined;
      return this.#calls.write(
        'commit',
        (wire) => [ref!, wire],
        { ...options, swapCommit, request: { again, ...request } },
        (commit) => (typeof commit === 'string' ? undefined : commit.rev),
      );
    });
  }

  log(): AsyncIterable<LogEntry> {
    return this.#walk({ of: 'log' }, newestFirst);
  }

  async *diff(from: string | CID | undefined, to?: string | CID): AsyncGenerator<RecordChange> {
    // The head of now, also if the list has to be begun again under another one.
    const until = to ?? (await this.head())?.cid;
    yield* this.#walk<RecordChange>({ of: 'diff', from, to: until }, byPath);
  }

  async refs(): Promise<ReadonlyMap<string, CID>> {
    return this.#calls.call('refs', []);
  }

  async setRef(name: string, target: string | CID): Promise<void> {
    await this.#calls.call('setRef', [name, target], UNREPEATABLE);
  }

  async removeRef(name: string): Promise<boolean> {
    return this.#calls.call('removeRef', [name], UNREPEATABLE);
  }

  async importCar(source: CarSource, options?: ImportOptions): Promise<ImportResult> {
    return sendCar(this.#calls, source, options);
  }

  exportCar(options: ExportOptions = {}): ReadableStream<Uint8Array> {
    return exportStream(this.#lists, this.#numbers++, options);
  }

  async putBlob(source: LazyBlobSource, options?: PutBlobRefOptions): Promise<BlobRef> {
    return sendBlob(this.#calls, source, options);
  }

  async getBlob(cid: CID): Promise<Blob | undefined> {
    return this.#calls.call('getBlob', [cid]);
  }

  blobs(): AsyncIterable<StoredBlob> {
    return this.#walk({ of: 'blobs' }, byCid);
  }

  missingBlobs(): AsyncIterable<MissingBlob> {
    return this.#walk({ of: 'missingBlobs' }, byUri);
  }

  async verify({ signal, onProgress, key, ...options }: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#calls.call('verify', [{ ...options, key: wireKey(key) }], { signal, onProgress });
  }

  async repair({ signal, onProgress, ...options }: RepairOptions = {}): Promise<RepairReport> {
    return this.#calls.call('repair', [options], { signal, onProgress, ...UNREPEATABLE });
  }

  backup(options: BackupOptions = {}): AsyncIterable<BackupFile> {
    return walkBackup(this.#lists, this.#numbers++, options);
  }

  async gc(options: GarbageOptions = {}): Promise<GarbageResult> {
    return this.#calls.call('gc', [options], UNREPEATABLE);
  }

  override onChange(listener: (change: HeadChange) => void): () => void {
    return this.#changes.add(listener);
  }

  close(): Promise<void> {
    RepoMethods.endWatches(this);
    this.#closing ??= this.#calls.close(() => this.#options.hangUp());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #walk<T>(list: OpenList, compare: Compare<T>): AsyncGenerator<T> {
    return walkList(this.#lists, this.#numbers++, list, compare);
  }

  #hear(change: HeadChange): void {
    this.#calls.note(change.rev, change.reset);
    this.#changes.hear(change);
  }
}
