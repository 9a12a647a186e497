/**
 * Checks when Deno syncs files and folders: records its calls while a repository in the given folder is used.
 */
import * as entryPoint from '../../../src/deno.ts';
import { assert } from '../../../src/testing/case.ts';
import { printCases } from '../print-cases.ts';
import { SyncLog } from '../sync-log.ts';
import { SYNCS, syncScenario } from '../sync-scenario.ts';
import { denoTestApi } from './deno-test-api.ts';

const deno = denoTestApi as unknown as Record<string, any>;
const root = `${denoTestApi.args[0]}/syncs`;
denoTestApi.mkdirSync(root);

let forgets: (path: string) => boolean = () => false;
let log = new SyncLog();

const watch = (target: object, name: string, after: (self: unknown, args: any[], result: any) => void): void => {
  const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
  Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
    const result = original.apply(this, args);
    if (result instanceof Promise) {
      return result.then((settled) => (after(this, args, settled), settled));
    }
    after(this, args, result);
    return result;
  });
};

const paths = new Map<unknown, { readonly path: string; readonly isFolder: boolean }>();
const created = new Set<string>();
const opened = (_: unknown, [given, { create, createNew }]: any[], file: unknown): void => {
  const path = given.replace(/\/\.$/, '');
  paths.set(file, { path, isFolder: deno['statSync'](path).isDirectory });
  // The first time is that of its creation: every folder is new in this run.
  if ((create === true || createNew === true) && !created.has(path)) {
    created.add(path);
    log.named(path);
  }
};
const pathOf = (file: unknown): string => paths.get(file)!.path;
const wrote = (file: unknown, _: unknown[], count: number): void => log.wrote(pathOf(file), count);
const synced = (file: unknown): void => {
  const { path, isFolder } = paths.get(file)!;
  if (!forgets(path)) {
    log.synced(path, isFolder);
  }
};
const removed = (_: unknown, [path]: any[]): void => {
  created.delete(path);
  log.removed(path);
};
const renamed = (_: unknown, [from, to]: any[]): void => log.renamed(from, to);

const file = deno['FsFile'].prototype as object;
watch(file, 'writeSync', wrote);
watch(file, 'write', wrote);
watch(file, 'truncateSync', (self, [size]) => log.truncated(pathOf(self), size));
for (const name of ['syncSync', 'syncDataSync', 'sync']) {
  watch(file, name, synced);
}
watch(deno, 'openSync', opened);
watch(deno, 'open', opened);
watch(deno, 'renameSync', renamed);
watch(deno, 'rename', renamed);
watch(deno, 'removeSync', removed);
watch(deno, 'remove', removed);
watch(deno, 'mkdir', (_, [path]) => log.named(path));
watch(deno, 'mkdirSync', (_, [path]) => log.named(path));

let runs = 0;
const run = async (forgotten: typeof forgets = () => false): Promise<string[]> => {
  const folder = `${root}/run-${runs++}`;
  denoTestApi.mkdirSync(folder);
  forgets = forgotten;
  log = new SyncLog();
  return syncScenario(entryPoint, folder, log);
};

await printCases(
  [
    {
      name: 'everything is synced before it is acknowledged',
      async run() {
        const found = await run();
        assert(found.length === 0, found.join('; '));
        assert(log.counts.files > 10 && log.counts.folders > 10, JSON.stringify(log.counts));
      },
    },
    ...SYNCS.map(({ name, pattern }) => ({
      name: `without the sync of ${name}, something is not`,
      async run() {
        assert((await run((path) => pattern.test(path))).length > 0, 'the check did not fail');
      },
    })),
  ],
  async () => undefined,
);
