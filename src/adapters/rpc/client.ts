/** A `Repo` whose repository is at the other end of a wire. */
import type { CID } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { Branch } from '../../core/repo/branch.ts';
import type { ImportResult } from '../../core/repo/long-work.ts';
import type { OwnOfBranch, OwnOfRepo } from '../../core/repo/method-tables.ts';
import { BRANCH, META, REPO } from '../../core/repo/method-tables.ts';
import { RecordMethods } from '../../core/repo/record-methods.ts';
import { RepoMethods } from '../../core/repo/repo-methods.ts';
import type { HeadChange, Repo, RepoInfo, Tree } from '../../core/repo/repo.ts';
import { importChanges } from '../../core/repo/transfer/import-changes.ts';
import type { StoredImport } from '../../core/repo/transfer/past-import.ts';
import { assertBranchName } from '../../core/repo/write/branch-line.ts';
import type { RepoMeta } from '../../core/repo/write/meta.ts';
import type { ClientOptions } from './client-calls.ts';
import { ClientCalls } from './client-calls.ts';
import { ClientChanges } from './client-changes.ts';
import type { StateReads } from './client-state.ts';
import { createReads, RemoteTree } from './client-state.ts';
import { generatedMethods } from './generated-methods.ts';
import type { Send } from './peer.ts';

export interface RemoteRepoOptions extends ClientOptions {
  /** Ends the connection, in which no call waits. Rejects when closing failed. */
  hangUp(): Promise<void>;
  /** Whether the browser keeps the storage when room gets short. */
  readonly isPersistent?: (() => Promise<boolean>) | undefined;
}

const closedError = (cause?: unknown): RepoError =>
  new RepoError('Closed', 'the repository is closed: open it again', { cause });

type RepoReads = Omit<StateReads, 'entries'>;

// The constructors assign the reads of a state and the methods of the tables. The types say that no method lacks.
const RepoBase = RepoMethods as unknown as abstract new () => Omit<Repo, OwnOfRepo> & RepoReads & RepoMethods;
const BranchBase = RecordMethods as unknown as abstract new () => Omit<Branch, OwnOfBranch> &
  StateReads &
  RecordMethods;

export class RemoteRepo extends RepoBase implements Repo {
  readonly meta: RepoMeta;
  readonly #options: RemoteRepoOptions;
  readonly #calls: ClientCalls;
  readonly #changes: ClientChanges;
  #closing: Promise<void> | undefined;

  constructor(send: Send, options: RemoteRepoOptions) {
    super();
    this.#options = options;
    const calls = new ClientCalls(send, options, (change) => this.#changes.hear(change));
    this.#calls = calls;
    this.#changes = new ClientChanges(calls);
    this.meta = generatedMethods<RepoMeta, never>(calls, 'meta.', META);
    const { get, getMany, list, collections } = createReads(calls, undefined);
    const { importCar, ...methods } = generatedMethods<Repo, OwnOfRepo>(calls, '', REPO);
    Object.assign(this, { get, getMany, list, collections }, methods, {
      importCar: async (...given: Parameters<Repo['importCar']>): Promise<ImportResult> => {
        const result: StoredImport = await importCar(...given);
        return { ...result, changes: importChanges(result.changes, methods.diff) };
      },
    });
  }

  /** Takes the messages of the other end. */
  get peer(): Pick<ClientCalls, 'giveUp' | 'isClosed' | 'isWaiting' | 'receive'> {
    return this.#calls;
  }

  /** Known once the repository can be used. */
  get did(): string {
    return this.#calls.did;
  }

  /**
   * Another worker serves the calls from now on: open calls are sent to it, and listeners hear what they missed.
   * Resolves once the repository can be used.
   */
  moved(send: Send): Promise<unknown> {
    this.#calls.moved(send);
    return this.#changes.moved();
  }

  /** The other end has ended: all calls that wait, and all that follow, reject. */
  lost(error: unknown): void {
    const cause = error instanceof RepoError ? error : closedError(error);
    this.#closing ??= Promise.resolve();
    this.#calls.giveUp(cause);
    this.#calls.end(closedError(cause));
    RepoMethods.endWatches(this, cause);
  }

  async info(): Promise<RepoInfo> {
    const info = await this.#calls.call('info', []);
    return { ...info, persistent: await this.#options.isPersistent?.() };
  }

  branch(name: string): Branch {
    return new RemoteBranch(name, this.#calls);
  }

  async checkout(at?: string | CID): Promise<Tree> {
    const { base, head } = await this.#calls.call('checkout', [at]);
    return new RemoteTree(this.#calls, { base, edits: [] }, head);
  }

  override onChange(listener: (change: HeadChange) => void): () => void {
    return this.#changes.add(listener);
  }

  close(): Promise<void> {
    RepoMethods.endWatches(this);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Waits for the replies to all calls. */
  async #close(): Promise<void> {
    const closed = closedError();
    await this.#calls.close(closed);
    await this.#options.hangUp().finally(() => this.#calls.end(closed));
  }
}

class RemoteBranch extends BranchBase implements Branch {
  readonly name: string;

  constructor(name: string, calls: ClientCalls) {
    super();
    assertBranchName(name);
    this.name = name;
    Object.assign(
      this,
      createReads(calls, { branch: name }),
      generatedMethods<Branch, OwnOfBranch>(calls, 'branch.', BRANCH, [name]),
    );
  }
}
