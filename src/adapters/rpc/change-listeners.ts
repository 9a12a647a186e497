/** Those who want to know about new heads, in the page. */
import type { HeadChange } from '../../core/repo/repo.ts';

export interface ChangeListeners {
  readonly size: number;
  add(listener: (change: HeadChange) => void): () => void;
  tell(change: HeadChange): void;
}

/** @param onFirst Called when somebody begins to listen; @param onNone when nobody does any more. */
export const createChangeListeners = (onFirst: () => void, onNone: () => void): ChangeListeners => {
  const listeners = new Set<(change: HeadChange) => void>();
  return {
    get size() {
      return listeners.size;
    },
    add(listener) {
      // One function may be added twice, and be taken away once.
      const own = (change: HeadChange): void => listener(change);
      listeners.add(own);
      if (listeners.size === 1) {
        onFirst();
      }
      return () => {
        if (listeners.delete(own) && listeners.size === 0) {
          onNone();
        }
      };
    },
    tell(change) {
      for (const listener of listeners) {
        try {
          listener(change);
        } catch (error) {
          // The fault is the listener's, and is shown as a fault of an event handler is.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
  };
};
