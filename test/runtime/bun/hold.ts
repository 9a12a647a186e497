/** Holds a repository's files in Bun. */
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { holdLock, linesOf } from '../hold-lock.ts';

await holdLock(linesOf(process.stdin), (folder) => openNodeFiles(folder));
