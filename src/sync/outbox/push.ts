/** `Outbox.push`: sends the pending changes to the account's host. */
import { cidToText } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { isTransient } from '../http/retry.ts';
import type { PullResult } from '../pull/pull.ts';
import { pull } from '../pull/pull.ts';
import { absorb } from './absorb.ts';
import { blobMentions } from '../../core/data/blob-ref.ts';
import type { Entry } from './entry.ts';
import { withLock } from './locks.ts';
import type { Outcome } from './outcome.ts';
import { outcomeOf } from './outcome.ts';
import type { PushOptions, PushResult } from './outbox.ts';
import type { PendingStore } from './pending-store.ts';
import { afterOutcome, errorOf, isSendable, sendingEntry } from './transitions.ts';
import { blobsOfHost, uploadBlobs } from './upload-blobs.ts';
import type { Change } from './write-request.ts';
import { changeOf, cutWrites, sendWrite } from './write-request.ts';

/** Most requests for one change in one push. An atomic write also fails when other records change meanwhile. */
const MAX_TRIES = 3;
const MAX_ATOMIC_TRIES = 6;

/** Why a push ends before all changes are sent. */
type Stop = Pick<PushResult, 'error' | 'resetAt' | 'status'>;

/** Returns why the error of a call ends the push, or `undefined` if the caller must handle it. */
const stopOf = (error: unknown): Stop | undefined => {
  const outcome = outcomeOf(error);
  if (outcome.kind === 'stopped') {
    return outcome;
  }
  return isTransient(error) ? { status: 'unreachable', error } : undefined;
};

/** Returns why the copy is not at the host's head after a pull. Its records then say nothing about the host. */
const stopAfter = (result: unknown): Stop | undefined => {
  const { status, to, host } = (result ?? {}) as Partial<PullResult>;
  const isAt = host !== undefined && to !== undefined && cidToText(to.cid) === host.cid;
  if (status === 'inactive') {
    return { status, error: new RepoError('RepoDeactivated', 'the account is not active at its host: reactivate it') };
  }
  if (status === 'waiting' || (status === 'rolledBack' && !isAt)) {
    const message = `the copy cannot follow the host: see pull(repo) for the reason; status=${status}`;
    return { status: 'unreachable', error: new RepoError('HostFailed', message) };
  }
  return undefined;
};

class Push {
  readonly #store: PendingStore;
  readonly #options: PushOptions;
  readonly #signal: AbortSignal;
  readonly #landed = new Set<string>();
  /** Blobs that the host has. */
  readonly #known = new Set<string>();
  /** The host's newest commit that this push knows. */
  #host: { readonly cid: string; readonly rev: string } | undefined;
  /** A change that could not be sent, although the host can be reached. */
  #failed: Stop | undefined;
  #total = 0;
  #done = 0;

  constructor(store: PendingStore, options: PushOptions, signal: AbortSignal) {
    this.#store = store;
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<PushResult> {
    const stop = (await this.#refresh()) ?? (await this.#sendAll());
    const entries = await this.#store.entries();
    // A pull confirms what has landed. Without changes in flight, the next push can do it too.
    const isInFlight = entries.some(({ state }) => state === 'landed' || state === 'unknown');
    const last = stop === undefined && isInFlight ? await this.#refresh() : undefined;
    const after = await this.#store.entries();
    const isUnknown = after.some(({ state }) => state === 'unknown');
    const ended = stop ?? (isUnknown ? last : undefined) ?? this.#failed ?? { status: 'done' };
    const pathsIn = (state: Entry['state']): string[] =>
      after.filter((entry) => entry.state === state).map(({ path }) => path);
    return {
      ...ended,
      landed: [...this.#landed],
      conflicts: pathsIn('conflict'),
      rejected: pathsIn('rejected'),
      pending: after.length - pathsIn('landed').length,
    };
  }

  /** Pulls, and decides about each pending change. Returns why the host cannot be reached. */
  async #refresh(): Promise<Stop | undefined> {
    this.#signal.throwIfAborted();
    const { session, pull: pullBy = () => pull(this.#store.repo, { session, signal: this.#signal, blobs: false }) } =
      this.#options;
    try {
      const stop = stopAfter(await pullBy());
      if (stop !== undefined) {
        return stop;
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      const stop = stopOf(error);
      if (stop === undefined) {
        throw error;
      }
      return stop;
    }
    const { landed } = await absorb(this.#store, this.#options.policies);
    for (const path of landed) {
      this.#landed.add(path);
    }
    const head = await this.#store.repo.head();
    this.#host = head && { cid: cidToText(head.cid), rev: head.rev };
    return undefined;
  }

  async #sendAll(): Promise<Stop | undefined> {
    const entries = await this.#store.entries();
    const sent = new Set<string>();
    this.#total = entries.filter(isSendable).length;
    for (const { path, group } of entries) {
      if (sent.has(group ?? '')) {
        continue;
      }
      const stop = await (group === undefined ? this.#send([path], false) : this.#sendGroup(group));
      if (stop !== undefined) {
        return stop;
      }
      if (group !== undefined) {
        sent.add(group);
      }
    }
    this.#options.onProgress?.({ done: this.#done, total: this.#total, path: undefined });
    return undefined;
  }

  /** Sends an atomic write, if nothing stops one of its changes. */
  async #sendGroup(group: string): Promise<Stop | undefined> {
    const members = (await this.#store.entries()).filter((entry) => entry.group === group && entry.state !== 'landed');
    if (!members.every(isSendable)) {
      return undefined;
    }
    const changes = await this.#changesOf(members);
    for (const chunk of cutWrites(changes ?? [])) {
      const paths = chunk.map(({ entry }) => entry.path);
      const stop = await this.#send(paths, true);
      const after = await Promise.all(paths.map((path) => this.#store.entry(path)));
      if (stop !== undefined || after.some((entry) => entry !== undefined && entry.state !== 'landed')) {
        return stop;
      }
    }
    return undefined;
  }

  /** Returns the changes of entries, or `undefined` if one of them cannot be sent. It is rejected then. */
  async #changesOf(entries: readonly Entry[]): Promise<Change[] | undefined> {
    const changes: Change[] = [];
    for (const entry of entries) {
      const change = await changeOf(this.#store, entry);
      if ('error' in change) {
        const { error } = change;
        await this.#store.update(entry.path, (now) =>
          now.ours === entry.ours ? { ...now, state: 'rejected', error } : now,
        );
        return undefined;
      }
      changes.push(change);
    }
    return changes;
  }

  /** Sends changes in one request, until its effect is known. */
  async #send(paths: readonly string[], isAtomic: boolean): Promise<Stop | undefined> {
    let hasSentBlobs = false;
    let error: unknown;
    for (let tries = 0; tries < (isAtomic ? MAX_ATOMIC_TRIES : MAX_TRIES); tries++) {
      this.#signal.throwIfAborted();
      const found = await Promise.all(paths.map((path) => this.#store.entry(path)));
      const entries = found.filter((entry) => entry !== undefined && isSendable(entry));
      if (entries.length < paths.length) {
        return undefined;
      }
      const changes = await this.#changesOf(entries as Entry[]);
      if (changes === undefined) {
        return undefined;
      }
      const blocked = await this.#upload(changes, hasSentBlobs);
      if (blocked !== undefined) {
        return blocked === 'rejected' ? undefined : blocked;
      }
      this.#options.onProgress?.({ done: this.#done, total: this.#total, path: paths[0] });
      if (!(await this.#begin(changes))) {
        continue;
      }
      const outcome = await this.#request(changes, isAtomic);
      const next = await this.#afterRequest(changes, outcome, hasSentBlobs);
      if (next !== 'again') {
        return next;
      }
      hasSentBlobs ||= outcome.kind === 'blobs';
      error = 'error' in outcome ? outcome.error : error;
    }
    // Other changes may still be accepted.
    this.#failed = { status: 'unreachable', error };
    return undefined;
  }

  async #request(changes: readonly Change[], isAtomic: boolean): Promise<Outcome> {
    const { session } = this.#options;
    const repo = this.#store.repo.did;
    const swapCommit = this.#host?.cid;
    return sendWrite({ session, repo, changes, isAtomic, swapCommit, signal: this.#signal });
  }

  /** Uploads blobs. Returns why the push ends, or `rejected` if these changes cannot be sent. */
  async #upload(changes: readonly Change[], isAgain: boolean): Promise<Stop | 'rejected' | undefined> {
    const { session } = this.#options;
    try {
      for (const { entry, record } of isAgain ? [] : changes) {
        const blobs = blobMentions(record).length > 0 ? await blobsOfHost(this.#store.repo, entry) : [];
        for (const blob of blobs) {
          this.#known.add(blob);
        }
      }
      const records = changes.map(({ record }) => record);
      await uploadBlobs(this.#store.repo, records, { session, signal: this.#signal, known: this.#known });
      return undefined;
    } catch (error) {
      this.#signal.throwIfAborted();
      const stop = stopOf(error);
      if (stop !== undefined) {
        return stop;
      }
      if (outcomeOf(error).kind !== 'rejected' && !isRepoError(error, 'Corrupt')) {
        throw error;
      }
      await this.#each(changes, (entry) => ({ ...entry, state: 'rejected', error: errorOf(error) }));
      return 'rejected';
    }
  }

  /** Records that the changes are being sent, before they are. Returns `false` if one of them is another one now. */
  #begin(changes: readonly Change[]): Promise<boolean> {
    return this.#store.alone(async () => {
      const sending = new Map<string, Entry>();
      for (const { entry } of changes) {
        const now = await this.#store.entry(entry.path);
        if (now === undefined || now.ours !== entry.ours || !isSendable(now)) {
          return false;
        }
        sending.set(entry.path, sendingEntry(now, this.#host?.rev));
      }
      await this.#store.commit([], sending);
      return true;
    });
  }

  /** Changes the state of entries, unless their values have changed since. */
  async #each(changes: readonly Change[], after: (entry: Entry) => Entry): Promise<void> {
    for (const { entry } of changes) {
      await this.#store.update(entry.path, (now) => (now.ours === entry.ours ? after(now) : now));
    }
  }

  async #afterRequest(
    changes: readonly Change[],
    outcome: Outcome,
    hasSentBlobs: boolean,
  ): Promise<Stop | 'again' | undefined> {
    for (const { entry } of changes) {
      await this.#store.update(entry.path, (now) => afterOutcome(now, entry.ours, outcome, hasSentBlobs));
    }
    switch (outcome.kind) {
      case 'landed':
        this.#done += changes.length;
        this.#host = outcome.commit ?? this.#host;
        for (const { entry } of outcome.commit === undefined ? [] : changes) {
          this.#landed.add(entry.path);
        }
        return undefined;
      case 'rejected':
        return undefined;
      case 'stopped':
        return outcome;
      case 'blobs':
        for (const { cid } of changes.flatMap(({ record }) => blobMentions(record))) {
          this.#known.delete(cidToText(cid));
        }
        return hasSentBlobs ? undefined : 'again';
      default:
        return (await this.#refresh()) ?? 'again';
    }
  }
}

/** `Outbox.push`. */
export const pushPending = (store: PendingStore, options: PushOptions, signal: AbortSignal): Promise<PushResult> =>
  withLock(`pdsdb:push:${store.repo.did}`, () => new Push(store, options, signal).run(), signal);
