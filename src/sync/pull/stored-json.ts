/** Values of `Repo.meta` in JSON. */
import { errorName } from '../../core/data/platform-values.ts';
import type { Repo } from '../../core/repo/repo.ts';

/** Returns a value, or `undefined` if it is missing or another program has written something else than JSON. */
export const storedJson = async (repo: Repo, name: string): Promise<unknown> => {
  const text = await repo.meta.get(name);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch (error) {
    if (errorName(error) === 'SyntaxError') {
      return undefined;
    }
    throw error;
  }
};
