/** A change of the head whose difference is not computed yet. */
import type { CID } from '../../data/cid.ts';
import type { Pins } from '../care/pins.ts';

/** The trees of two heads. `gc` keeps them until `release` is called. */
export interface Transition {
  readonly before: CID | undefined;
  readonly after: CID;
  /** Lets `gc` remove the trees again. */
  release(): void;
}

/** Makes a transition. Call it inside the change that stores the new head. */
export type KeepTransition = (before: CID | undefined, after: CID) => Transition;

/** Runs a change that may make transitions. Releases them if it fails. */
export const keepingTransition = async <T>(pins: Pins, run: (keep: KeepTransition) => Promise<T>): Promise<T> => {
  const kept: Transition[] = [];
  try {
    return await run((before, after) => {
      const { release } = pins.hold([before && { data: before }, { data: after }]);
      const transition = { before, after, release };
      kept.push(transition);
      return transition;
    });
  } catch (error) {
    for (const { release } of kept) {
      release();
    }
    throw error;
  }
};
