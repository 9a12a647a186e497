/**
 * The states that running readers need. `gc` keeps what they reach until the readers end: a list, a comparison or an
 * export never meets a block that was removed under it.
 *
 * A reader finds its state first and pins it then. A sweep may come between the two, so a reader whose state the sweep
 * does not keep waits for the end of the sweep and finds its state again.
 */
import type { CID } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';

/** A commit, or the root of a tree alone. */
export interface Pinnable {
  readonly cid?: CID | undefined;
  readonly data: CID;
}

type States = readonly (Pinnable | undefined)[];

/** States that `gc` keeps until `release` is called. A second call of it does nothing. */
export interface Pinned<S extends States> {
  readonly states: S;
  release(): void;
}

/** Blocks are about to be removed. */
export interface Sweep {
  /**
   * The states that are pinned now. From now on a reader gets a pin only for what `reached` holds.
   * @param reached What is kept so far; the caller adds what the pinned states reach.
   */
  mark(reached: CidSet): readonly Pinnable[];
  /** To be called when the blocks are removed, or when nothing was. */
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

  /** Finds states with `resolve` and pins them. Throws what `resolve` throws. */
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

  /** Pins states that no sweep can have removed: to be called inside a change that makes or keeps them. */
  hold<S extends States>(states: S): Pinned<S> {
    // A set of its own for each reader: two may pin the same states.
    const held: States = [...states];
    this.#held.add(held);
    return { states, release: () => void this.#held.delete(held) };
  }

  /** Keeps blobs until the returned function is called; the set may grow meanwhile. */
  holdBlobs(blobs: CidSet): () => void {
    this.#blobs.add(blobs);
    return () => void this.#blobs.delete(blobs);
  }

  /** Whether a running reader needs a blob. */
  needsBlob(cid: CID): boolean {
    return [...this.#blobs].some((blobs) => blobs.has(cid.bytes));
  }

  /** The states that are pinned now. */
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

  /** Begins to remove blocks, after the checks that run. To be called inside a change, of which one runs at a time. */
  async sweep(): Promise<Sweep> {
    const { ended, end } = deferred();
    const sweep: RunningSweep = { reached: undefined, ended };
    // Checks that begin from now on wait, so that this one has its turn.
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

  /** @param marks How many sweeps had read the pins when the states were looked for. */
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

/** Reads a list of states that stay until it ends or is left. */
export async function* readPinned<S extends States, T>(
  pins: Pins,
  resolve: () => Promise<S>,
  read: (states: S) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const { states, release } = await pins.pin(resolve);
  try {
    yield* read(states);
  } finally {
    release();
  }
}

/** Runs work over states that stay until it ends. */
export const withPinned = async <S extends States, T>(
  pins: Pins,
  resolve: () => Promise<S>,
  run: (states: S) => Promise<T>,
): Promise<T> => {
  const { states, release } = await pins.pin(resolve);
  try {
    return await run(states);
  } finally {
    release();
  }
};
