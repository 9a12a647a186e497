/**
 * A block store that makes concurrent short changes durable together.
 *
 * The sync of the storage is a large part of a small commit. Changes of a group run one after the other inside one
 * `transact` of the store, each as a {@link NestedChange}. So every store can do this, and it syncs once per group.
 */
import { ChangeQueue } from './change-queue.ts';
import { NestedChange } from './nested-change.ts';
import type { BlockChange, BlockStore } from './ports.ts';
import { readsOf } from './reads-of.ts';

/** Most changes that become durable together. The first one waits for the last one: about 0.2 s for signed commits. */
export const GROUP_SIZE = 128;

type Run<T> = (change: BlockChange) => Promise<T>;

/** A change of a group, and its call. */
class Member<T> {
  readonly #run: Run<T>;
  readonly #resolve: (value: T) => void;
  /** Ends the call with an error. */
  readonly reject: (error: unknown) => void;
  #result: { readonly value: T } | undefined;
  /** The error of `run`. */
  error: unknown;

  constructor(run: Run<T>, resolve: (value: T) => void, reject: (error: unknown) => void) {
    this.#run = run;
    this.#resolve = resolve;
    this.reject = reject;
  }

  /**
   * Runs the change. If `run` throws, undoes it, keeps the error and returns `false`.
   * @throws the error of the storage. Then the whole group is lost.
   */
  async runIn(parent: BlockChange): Promise<boolean> {
    const change = new NestedChange(parent);
    try {
      this.#result = { value: await this.#run(change) };
    } catch (error) {
      this.error = error;
    }
    change.end();
    if (change.failure !== undefined) {
      // Also if `run` ignores it: a commit would lack a block.
      throw change.failure.cause;
    }
    await (this.#result === undefined ? change.undo() : change.merge());
    return this.#result !== undefined;
  }

  /** Ends the call with the result or the error of `run`. */
  end(): void {
    if (this.#result === undefined) {
      this.reject(this.error);
    } else {
      this.#resolve(this.#result.value);
    }
  }
}

type Joined = Pick<Member<unknown>, 'error' | 'reject' | 'runIn' | 'end'>;

/** The store of an open repository. All changes go through it, so that they keep their order. */
export interface GroupingStore extends BlockStore {
  /**
   * Runs a short change, as `transact` does. Changes of concurrent calls may become one change of the store:
   *
   * - Each sees the ones before it. If its `run` throws, it is undone alone, and only its call rejects.
   * - No call ends before the changes are durable. If the storage fails or is full, nothing has changed, and the calls
   *   of all changes that have run reject with that error.
   * - Calls end in the order of their changes.
   */
  together<T>(run: Run<T>): Promise<T>;
}

/** @param onLost Called when the storage failed after a `run` had succeeded, before the next change begins. */
export const groupingStore = (store: BlockStore, onLost: () => void): GroupingStore => {
  const queue = new ChangeQueue();
  /** Number of changes that have not begun. */
  let waiting = 0;
  /** The changes of the last group that have not begun. More join until another change is queued. */
  let open: Joined[] | undefined;

  const runAlone = async <T>(run: Run<T>): Promise<T> => {
    waiting -= 1;
    let hasRun = false;
    try {
      return await store.transact(async (change) => {
        const value = await run(change);
        hasRun = true;
        return value;
      });
    } catch (error) {
      if (hasRun) {
        onLost();
      }
      throw error;
    }
  };

  /** Runs the next members in one change of the store, and ends their calls. */
  const runNext = async (members: Joined[]): Promise<void> => {
    const ran: Joined[] = [];
    let isChanged = false;
    let isUndone = false;
    try {
      await store.transact(async (change) => {
        // Others join meanwhile.
        while (members.length > 0 && ran.length < GROUP_SIZE) {
          const member = members.shift()!;
          waiting -= 1;
          ran.push(member);
          isChanged = (await member.runIn(change)) || isChanged;
        }
        if (!isChanged) {
          // The store rolls back, and writes nothing.
          isUndone = true;
          throw ran[0]!.error;
        }
      });
    } catch (error) {
      if (isChanged) {
        onLost();
      }
      if (!isUndone) {
        // A store that has not begun a change begins none of the others.
        if (ran.length === 0) {
          ran.push(...members.splice(0));
          waiting -= ran.length;
        }
        ran.forEach((member) => member.reject(error));
        return;
      }
    }
    ran.forEach((member) => member.end());
  };

  const runGroup = async (members: Joined[]): Promise<void> => {
    while (members.length > 0) {
      await runNext(members);
    }
    open = open === members ? undefined : open;
  };

  return {
    exclusive: store.exclusive,
    maintenance: store.maintenance,
    ...readsOf(store),
    count: () => store.count(),
    transact(run) {
      open = undefined;
      waiting += 1;
      return queue.run(() => runAlone(run));
    },
    async together<T>(run: Run<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting += 1;
        const member: Joined = new Member(run, resolve, reject);
        if (open !== undefined) {
          open.push(member);
          return;
        }
        const members = [member];
        open = members;
        queue.run(() => runGroup(members)).catch(reject);
      });
    },
    async close() {
      open = undefined;
      // The store waits for a change that has begun.
      if (waiting > 0) {
        await queue.idle();
      }
      await store.close();
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
};
