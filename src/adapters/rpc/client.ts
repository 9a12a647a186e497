/** A `Repo` whose repository is at the other end of a wire. */
import type { CID } from '../../core/data/cid.ts';
import type { Branch } from '../../core/repo/branch.ts';
import type { OwnOfBranch, OwnOfRepo } from '../../core/repo/method-tables.ts';
import { BRANCH, META, REPO } from '../../core/repo/method-tables.ts';
import { RecordMethods } from '../../core/repo/record-methods.ts';
import type { Validate } from '../../core/repo/record.ts';
import { RepoMethods } from '../../core/repo/repo-methods.ts';
import type { CommitRef, HeadChange, Repo, RepoInfo, Tree, WriteOptions } from '../../core/repo/repo.ts';
import { assertBranchName } from '../../core/repo/write/branch-line.ts';
import type { RepoMeta } from '../../core/repo/write/meta.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import { ClientCalls } from './client-calls.ts';
import { ClientChanges } from './client-changes.ts';
import type { StateReads } from './client-reads.ts';
import { createReads } from './client-reads.ts';
import { RemoteTree } from './client-tree.ts';
import { GeneratedMethods } from './generated-methods.ts';
import type { Send } from './peer.ts';

export interface RemoteRepoOptions {
  readonly signer?: Signer | undefined;
  readonly validate?: Validate | undefined;
  /** Ends the connection, in which no call waits. Rejects when closing failed. */
  hangUp(): Promise<void>;
  /** Whether the browser keeps the storage when room gets short. */
  readonly isPersistent?: (() => Promise<boolean>) | undefined;
}

type RepoReads = Omit<StateReads, 'entries'>;

// The constructors assign the reads of a state and the methods of the tables. The types say that no method lacks.
const RepoBase = RepoMethods as unknown as abstract new () => Omit<Repo, OwnOfRepo> & RepoReads & RepoMethods;
const BranchBase = RecordMethods as unknown as abstract new () => Omit<Branch, OwnOfBranch> &
  StateReads &
  RecordMethods;

export class RemoteRepo extends RepoBase implements Repo {
  /** Known once the repository can be used. */
  did = '';
  readonly meta: RepoMeta;
  /** Takes the messages of the other end. */
  readonly peer: Pick<ClientCalls['peer'], 'giveUp' | 'receive'>;
  readonly #options: RemoteRepoOptions;
  readonly #calls: ClientCalls;
  readonly #methods: GeneratedMethods;
  readonly #changes: ClientChanges;
  #closing: Promise<void> | undefined;

  constructor(send: Send, options: RemoteRepoOptions) {
    super();
    this.#options = options;
    this.#calls = new ClientCalls(send, options.signer, (change) => this.#hear(change));
    this.peer = this.#calls.peer;
    this.#methods = new GeneratedMethods(this.#calls, options.validate);
    this.#changes = new ClientChanges(this.#calls);
    this.meta = this.#methods.of<RepoMeta, never>('meta.', META);
    const { get, list, collections } = createReads(this.#calls, undefined);
    Object.assign(this, { get, list, collections }, this.#methods.of<Repo, OwnOfRepo>('', REPO));
  }

  get isClosed(): boolean {
    return this.#calls.isClosed;
  }

  /** Resolves once the repository can be used. */
  async begin(): Promise<void> {
    this.did = await this.#calls.begin();
  }

  /** Another worker serves the calls from now on: open calls are sent to it, and listeners hear what they missed. */
  moved(send: Send): void {
    this.#calls.moved(send);
    this.#changes.moved();
  }

  /** The other end has ended: all calls that wait, and all that follow, reject. */
  lost(error: unknown): void {
    this.#closing ??= Promise.resolve();
    this.#calls.lost(error);
    RepoMethods.endWatches(this, error);
  }

  async info(): Promise<RepoInfo> {
    const info = await this.#calls.call('info', []);
    return { ...info, persistent: await this.#options.isPersistent?.() };
  }

  branch(name: string): Branch {
    return new RemoteBranch(name, this.#calls, this.#methods);
  }

  async checkout(at?: string | CID): Promise<Tree> {
    const { base, head } = await this.#calls.call('checkout', [at]);
    return new RemoteTree(this.#methods, { base }, head);
  }

  async commit(tree: Tree, options: WriteOptions = {}): Promise<CommitRef> {
    // Said in words: the server that commits it may have checked it out again, under another head.
    const swapCommit = options.swapCommit === undefined ? (tree.head ?? null) : options.swapCommit;
    const request = options.request ?? { id: this.#calls.nameRequest() };
    let again = request.again;
    return RemoteTree.ask(tree, this.#calls, async (ref) => {
      const sent = { ...options, swapCommit, request: { id: request.id, again } };
      // Asked a second time when the server does not know the tree. It may be another one than the first time.
      again ??= { since: this.#calls.rev };
      return (await this.#calls.run('commit', { way: 'write', options: 1 }, [ref, sent])) as CommitRef;
    });
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

  #hear(change: HeadChange): void {
    this.#calls.note(change.rev, change.reset);
    this.#changes.hear(change);
  }
}

class RemoteBranch extends BranchBase implements Branch {
  readonly name: string;

  constructor(name: string, calls: ClientCalls, methods: GeneratedMethods) {
    super();
    assertBranchName(name);
    this.name = name;
    Object.assign(
      this,
      createReads(calls, { branch: name }),
      methods.of<Branch, OwnOfBranch>('branch.', BRANCH, [name]),
    );
  }
}
