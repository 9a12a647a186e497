/** Holds a repository's files in Deno. */
import { openDenoFiles } from '../../../src/adapters/files/deno-files.ts';
import { holdLock, linesOf } from '../hold-lock.ts';
import { denoTestApi } from './deno-test-api.ts';

await holdLock(linesOf(denoTestApi.stdin.readable), (folder) => openDenoFiles(folder));
