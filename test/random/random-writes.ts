/** Random sequences of writes that resemble the use of an account. */
import type { WriteOp } from '../../src/core/repo/repo.ts';

const COLLECTIONS = [
  'app.bsky.feed.like',
  'app.bsky.feed.post',
  'app.bsky.feed.postgate',
  'com.example.thing',
] as const;

export interface Step {
  readonly op: WriteOp;
  readonly path: string;
}

/** Yields endless steps. Each step succeeds after the previous ones. `state` has the records after the last one. */
export function* randomWrites(random: () => number, state: Map<string, number>): Generator<Step> {
  let version = 0;
  for (;;) {
    version += 1;
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    const known = state.size > 0 && random() < 0.6 ? pick([...state.keys()]) : undefined;
    const path = known ?? `${pick(COLLECTIONS)}/${Math.floor(random() * 500).toString(36)}`;
    const [collection, rkey] = path.split('/') as [string, string];
    const value = { $type: collection, version, text: 'x'.repeat(Math.floor(random() * 50)) };
    if (!state.has(path)) {
      state.set(path, version);
      yield { path, op: { action: 'create', collection, rkey, value } };
    } else if (random() < 0.5) {
      state.set(path, version);
      yield { path, op: { action: 'update', collection, rkey, value } };
    } else {
      state.delete(path);
      yield { path, op: { action: 'delete', collection, rkey } };
    }
  }
}
