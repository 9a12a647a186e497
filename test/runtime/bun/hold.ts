/** Holds a repository's files in Bun. */
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { holdLock, linesOf } from '../hold-lock.ts';
import { heldByThread, openInWorker } from '../worker-threads.ts';

const open = (folder: string) => openNodeFiles(folder);

if (!(await heldByThread(open))) {
  await holdLock(linesOf(process.stdin), open, openInWorker(import.meta.url));
  // A running thread would keep the process alive.
  process.exit();
}
