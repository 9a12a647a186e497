/** Checks when Node syncs files and folders: records its calls while a repository is used. Bun runs the same code. */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as entryPoint from '../../src/node.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { SyncLog } from './sync-log.ts';
import { SYNCS, syncScenario } from './sync-scenario.ts';

const root = scratchFolder('node-syncs');
/** Disables syncs, as if they were missing in the code. */
let forgets: (path: string, isFolder: boolean) => boolean = () => false;
let log = new SyncLog();

const undo: (() => void)[] = [];
/** Calls `after` after each call, with its arguments and its result. */
const watch = <K extends string>(
  target: object,
  name: K,
  after: (self: unknown, args: any[], result: any) => void,
): void => {
  const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
  Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
    const result = original.apply(this, args);
    if (result instanceof Promise) {
      return result.then((settled) => (after(this, args, settled), settled));
    }
    after(this, args, result);
    return result;
  });
  undo.push(() => Reflect.set(target, name, original));
};

beforeAll(async () => {
  const paths = new Map<unknown, { readonly path: string; readonly isFolder: boolean }>();
  const created = new Set<string>();
  const opened = (handle: unknown, path: string, flags: number | string): void => {
    paths.set(handle, { path, isFolder: fs.statSync(path).isDirectory() });
    const creates = typeof flags === 'string' ? flags.startsWith('w') : (flags & fs.constants.O_CREAT) !== 0;
    // The first time is that of its creation: every folder is new in this run.
    if (creates && !created.has(path)) {
      created.add(path);
      log.named(path);
    }
  };
  const synced = (handle: unknown): void => {
    const { path, isFolder } = paths.get(handle)!;
    if (!forgets(path, isFolder)) {
      log.synced(path, isFolder);
    }
  };
  const wrote = (handle: unknown, bytes: number): void => log.wrote(paths.get(handle)!.path, bytes);
  const gone = (path: string): void => {
    created.delete(path);
    log.removed(path);
  };
  watch(fs, 'openSync', (_, [path, flags], fd) => opened(fd, path, flags));
  watch(fs, 'writeSync', (_, [fd], count) => wrote(fd, count));
  watch(fs, 'ftruncateSync', (_, [fd, size]) => log.truncated(paths.get(fd)!.path, size));
  watch(fs, 'fdatasyncSync', (_, [fd]) => synced(fd));
  watch(fs, 'fsyncSync', (_, [fd]) => synced(fd));
  watch(fs, 'renameSync', (_, [from, to]) => log.renamed(from, to));
  watch(fs, 'unlinkSync', (_, [path]) => gone(path));
  watch(fs, 'mkdirSync', (_, [path]) => log.named(path));
  watch(fsp, 'open', (_, [path, flags], handle) => opened(handle, path, flags));
  watch(fsp, 'rename', (_, [from, to]) => log.renamed(from, to));
  watch(fsp, 'unlink', (_, [path]) => gone(path));
  watch(fsp, 'rmdir', (_, [path]) => log.removed(path));
  watch(fsp, 'mkdir', (_, [path]) => log.named(path));
  const handle = await fsp.open(root);
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  watch(prototype, 'write', (self, _, { bytesWritten }) => wrote(self, bytesWritten));
  watch(prototype, 'sync', (self) => synced(self));
  syncBuiltinESMExports();
});

afterAll(() => {
  undo.reverse().forEach((run) => run());
  syncBuiltinESMExports();
});

const run = async (forgotten: typeof forgets = () => false): Promise<string[]> => {
  forgets = forgotten;
  log = new SyncLog();
  return syncScenario(entryPoint, fs.mkdtempSync(`${root}/run-`), log);
};

test('everything is synced before it is acknowledged', async () => {
  expect(await run()).toEqual([]);
  expect(log.counts.files).toBeGreaterThan(10);
  expect(log.counts.folders).toBeGreaterThan(10);
});

test.each(SYNCS.map(({ name, pattern }) => [name, pattern] as const))(
  'without the sync of %s, the check fails',
  async (_, pattern) => {
    expect(await run((path) => pattern.test(path))).not.toEqual([]);
  },
);
