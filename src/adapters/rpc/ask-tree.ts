/** Questions about trees, which a server may have to be told of. */
import { RepoError } from '../../core/errors.ts';
import type { Gone, TreeEdit, TreeRef } from './protocol.ts';
import { GONE } from './protocol.ts';

/** A tree as it is asked about, and what to say when the server knows it no more. */
export interface TreeAt {
  readonly ref: TreeRef;
  edits(): readonly TreeEdit[];
}

/** Asks about a tree; a server that has forgotten it is told what it is. */
export const askTree = async <T>(
  tree: TreeAt | undefined,
  ask: (ref: TreeRef | undefined) => Promise<T | Gone>,
): Promise<T> => {
  const answer = await ask(tree?.ref);
  if (answer !== GONE) {
    return answer as T;
  }
  const again = await ask(tree && { ...tree.ref, edits: tree.edits() });
  if (again === GONE) {
    throw new RepoError('StorageFailed', 'the worker does not know a tree that it was told of');
  }
  return again as T;
};
