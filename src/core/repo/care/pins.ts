/**
 * Pins the commits that running readers use. `gc` keeps everything that they reach until the readers end, so a list, a
 * diff or an export never misses a removed block.
 *
 * A reader first finds its commits and then pins them. A sweep may start between the two. If the sweep does not keep
 * these commits, the reader waits for its end and finds its commits again.
 *
 * Other owners of a store do not know these pins. Their `gc` keeps what was replaced a short time ago, and a reader
 * that loses its blocks nevertheless gets an error that says so.
 */
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';

/** A commit, or only the root of a tree. */
export interface Pinnable {
  readonly cid?: CID | undefined;
  readonly data: CID;
}

type States = readonly (Pinnable | undefined)[];

/** States that `gc` keeps until `release` is called. A second call does nothing. */
export interface Pinned<S extends States> {
  readonly states: S;
  release(): void;
}

/** A sweep: the removal of blocks. */
export interface Sweep {
  /**
   * Returns the pinned states. From now on, readers can pin only states in `reached`.
   * @param reached Everything that is kept so far. The caller adds everything that the pinned states reach.
   */
  mark(reached: CidSet): readonly Pinnable[];
  /** Call it when the blocks are removed, or when the sweep failed. */
  end(): void;
}

interface RunningSweep {
  reached: CidSet | undefined;
  readonly ended: Promise<void>;
}

export class Pins {
  readonly #held = new Set<States>();
  readonly #blobs = new Set<CidSet>();
  readonly #checks = new Set<Promise<void>>();
  #marks = 0;
  #sweep: RunningSweep | undefined;
  readonly #isStored: ((cid: CID) => Promise<boolean>) | undefined;

  /** @param isStored Whether a block is stored. Only if other owners may remove blocks. */
  constructor(isStored?: (cid: CID) => Promise<boolean>) {
    this.#isStored = isStored;
  }

  /**
   * Returns the error of a reader: another one than `error` if a block is missing because another owner has removed a
   * state of the reader.
   */
  async explain(error: unknown, states: States): Promise<unknown> {
    if (this.#isStored === undefined || !isRepoError(error, 'BlockNotFound')) {
      return error;
    }
    for (const state of states) {
      const cid = state?.cid ?? state?.data;
      // Without a connection, nobody knows more than `error` says.
      if (cid !== undefined && !(await this.#isStored(cid).catch(() => true))) {
        return new RepoError(
          'BlockNotFound',
          'another process has replaced this state and removed it with gc: try again with the head, or give gc a larger ' +
            `commitAge; cid=${cidToText(cid)}`,
          { cause: error },
        );
      }
    }
    return error;
  }

  /** Finds states with `resolve` and pins them. Rejects with the error of `resolve`. */
  async pin<S extends States>(resolve: () => Promise<S>): Promise<Pinned<S>> {
    for (;;) {
      const marks = this.#marks;
      const states = await resolve();
      if (this.#isKept(states, marks)) {
        return this.hold(states);
      }
      await this.#sweep?.ended;
    }
  }

  /** Pins states at once. Call it inside a change that makes or keeps them, when no sweep can remove them. */
  hold<S extends States>(states: S): Pinned<S> {
    // A copy per reader, because two readers may pin the same states.
    const held: States = [...states];
    this.#held.add(held);
    return { states, release: () => void this.#held.delete(held) };
  }

  /** Keeps blobs until the returned function is called. The set may grow meanwhile. */
  holdBlobs(blobs: CidSet): () => void {
    this.#blobs.add(blobs);
    return () => void this.#blobs.delete(blobs);
  }

  /** Returns whether a running reader needs the blob. */
  needsBlob(cid: CID): boolean {
    return [...this.#blobs].some((blobs) => blobs.has(cid.bytes));
  }

  /** Returns the pinned states. */
  pinned(): readonly Pinnable[] {
    return [...this.#held].flat().filter((state) => state !== undefined);
  }

  /** Runs a check of every block. No block is removed while it runs. */
  async check<T>(run: () => Promise<T>): Promise<T> {
    while (this.#sweep !== undefined) {
      await this.#sweep.ended;
    }
    const { ended, end } = deferred();
    this.#checks.add(ended);
    try {
      return await run();
    } finally {
      this.#checks.delete(ended);
      end();
    }
  }

  /** Starts a sweep after the running checks have ended. Call it inside a change, because one change runs at a time. */
  async sweep(): Promise<Sweep> {
    const { ended, end } = deferred();
    const sweep: RunningSweep = { reached: undefined, ended };
    // Checks that start from now on wait, so that the sweep is not delayed forever.
    this.#sweep = sweep;
    await Promise.all(this.#checks);
    return {
      mark: (reached) => {
        this.#marks += 1;
        sweep.reached = reached;
        return this.pinned();
      },
      end: () => {
        if (this.#sweep === sweep) {
          this.#sweep = undefined;
        }
        end();
      },
    };
  }

  /** @param marks The number of sweeps that had read the pins before the states were found. */
  #isKept(states: States, marks: number): boolean {
    const reached = this.#sweep?.reached;
    if (reached === undefined) {
      return marks === this.#marks;
    }
    return states.every(
      (state) =>
        state === undefined ||
        (reached.has(state.data.bytes) && (state.cid === undefined || reached.has(state.cid.bytes))),
    );
  }
}

const deferred = (): { readonly ended: Promise<void>; readonly end: () => void } => {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { ended, end };
};

/** Finds states, pins them and iterates over them. Releases them when the iteration ends. */
export async function* readPinned<S extends States, T>(
  pins: Pins,
  resolve: () => Promise<S>,
  read: (states: S) => AsyncIterable<T>,
): AsyncGenerator<T> {
  yield* readHeld(pins, await pins.pin(resolve), read);
}

/** Iterates over states that are pinned. Releases them when the iteration ends. */
export async function* readHeld<S extends States, T>(
  pins: Pins,
  { states, release }: Pinned<S>,
  read: (states: S) => AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* read(states);
  } catch (error) {
    throw await pins.explain(error, states);
  } finally {
    release();
  }
}

/** Runs work over pinned states. Releases them when it ends. */
export const withPinned = async <S extends States, T>(
  pins: Pins,
  resolve: () => Promise<S>,
  run: (states: S) => Promise<T>,
): Promise<T> => {
  const { states, release } = await pins.pin(resolve);
  try {
    return await run(states);
  } catch (error) {
    throw await pins.explain(error, states);
  } finally {
    release();
  }
};
