/** What SQLite finds wrong with a database. */
import { isRepoError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';

/** @param tables The tables to look at; all of them when left out. Returns one sentence per fault. */
export const integrityFaults = (connection: Connection, tables: readonly string[] | undefined): string[] => {
  const targets = tables === undefined ? [''] : ['sqlite_schema', ...tables].map((table) => `(${table})`);
  try {
    return targets
      .flatMap((target) => connection.texts(`pragma integrity_check${target}`))
      .filter((line) => line !== 'ok');
  } catch (error) {
    // Damage that the check itself stumbles over.
    if (isRepoError(error, 'Corrupt')) {
      return [error.message];
    }
    throw error;
  }
};
