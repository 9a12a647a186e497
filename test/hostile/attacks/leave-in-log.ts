/** The write-ahead log of a killed process. */
import { copyFileSync, existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { openDatabase } from '../../adapters/sqlite/open-database.ts';

/** Changes the database of a folder, or creates it, and leaves the change in the log, as a kill does. */
export const leaveInLog = async (folder: string, statements: readonly string[]): Promise<void> => {
  const [main, log] = ['pds.db', 'pds.db-wal'].map((name) => join(folder, name)) as [string, string];
  const files = await openNodeFiles(folder, { create: !existsSync(main) });
  try {
    const database = await openDatabase(files);
    database.transaction(() => statements.forEach((statement) => database.exec(statement)));
    copyFileSync(main, `${main}.kept`);
    copyFileSync(log, `${log}.kept`);
    database.close();
  } finally {
    await files.close();
  }
  renameSync(`${main}.kept`, main);
  renameSync(`${log}.kept`, log);
};
