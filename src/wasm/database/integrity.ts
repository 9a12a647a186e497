/** SQLite's integrity check. */
import { isRepoError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';

/**
 * Returns one sentence per fault.
 * @param tables The tables to check. Default: all.
 */
export const integrityFaults = (connection: Connection, tables: readonly string[] | undefined): string[] => {
  const targets = tables === undefined ? [''] : ['sqlite_schema', ...tables].map((table) => `(${table})`);
  try {
    return targets
      .flatMap((target) => connection.texts(`pragma integrity_check${target}`))
      .filter((line) => line !== 'ok');
  } catch (error) {
    // Damage that stops the check.
    if (isRepoError(error, 'Corrupt')) {
      return [error.message];
    }
    throw error;
  }
};
