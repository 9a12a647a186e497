/**
 * The cost of hostile CARs in the worker of a browser: each is refused or read within three seconds of work, in
 * little memory.
 */
import { build } from 'esbuild';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { boundsCases } from '../hostile/bounds-cases.ts';
import { BASE_REV, carOf, posts, repositoryOf } from '../hostile/build-repository.ts';
import { drivenOf, isMissing } from './browsers.ts';
import { useBrowserWith } from './use-browser.ts';
import { useSite } from './in-browser.ts';

/**
 * Processor time of all the browser's processes together. They take less than a second on an idle machine. On one with
 * other work, the browser's own work (its garbage collection, its compiler) has taken 1,070 ms of a sound import.
 */
const MOST_MS = 3_000;
/** The increase in all processes together. */
const MOST_MB = 100;
const SAMPLE_MS = 10;

const PAGE = `<!doctype html><meta charset="utf-8"><title>bounds</title><link rel="icon" href="data:,"><script type="module">
  const worker = new Worker('bounds-worker.js', { type: 'module' });
  globalThis.runInBrowser = (where, command, args) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ('result' in data ? resolve(data.result) : reject(new Error(data.error)));
    worker.onerror = ({ message }) => reject(new Error('the worker failed: ' + message));
    worker.postMessage(args);
  });
</script>`;

/** Imports one CAR into a repository that is not empty, and returns the outcome. */
const WORKER = `
  import { browserPlatform } from '../../src/adapters/platform/browser-platform.ts';
  import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
  import { isRepoError } from '../../src/core/errors.ts';
  import { DID } from '../../src/testing/repo/harness.ts';
  import { wasm } from './wasm.ts';
  let repo;
  const options = { allowUnsigned: true };
  const run = async ({ verb, name, url }) => {
    if (verb === 'prepare') {
      repo = await sqliteRepo(await browserPlatform(name, { storage: 'opfs', wasm, create: true }), { did: DID });
      await repo.importCar((await fetch(url)).body, options);
      return;
    }
    if (verb === 'end') {
      return repo.close();
    }
    const { body } = await fetch(url);
    if (verb === 'read') {
      // To its end, and nothing else.
      for (const reader = body.getReader(); !(await reader.read()).done; ) {}
      return;
    }
    const begin = performance.now();
    const end = await repo.importCar(body, options).then(
      ({ faults }) => (faults.length === 0 ? 'accepted' : 'reported'),
      (error) => (isRepoError(error) ? error.code : String(error)),
    );
    return { end, ms: Math.round(performance.now() - begin), polluted: ({}).polluted !== undefined };
  };
  addEventListener('message', async ({ data }) => {
    try {
      postMessage({ result: JSON.stringify((await run(JSON.parse(data))) ?? null) });
    } catch (error) {
      postMessage({ error: String(error?.stack ?? error) });
    }
  });
`;

interface Cost {
  readonly ms: number;
  readonly mb: number;
}

/**
 * Returns the processor time of a browser's processes in milliseconds, and the private resident megabytes of each,
 * as Linux counts them. Shared memory would count in each process.
 */
const spentBy = (browser: number): Cost => {
  let [ticks, pages] = [0, 0];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) === browser) {
        ticks += Number(fields[11]) + Number(fields[12]);
        const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
        pages += resident! - shared!;
      }
    } catch {
      // The process has ended since it was listed.
    }
  }
  return { ms: ticks * 10, mb: (pages * 4096) / 2 ** 20 };
};

/** Returns the cost of `work` in a browser: the processor time, and the largest increase of memory. */
const costOf = async <T>(
  browser: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cost: Cost }> => {
  const before = spentBy(browser);
  let most = before.mb;
  const sampling = setInterval(() => (most = Math.max(most, spentBy(browser).mb)), SAMPLE_MS);
  try {
    const result = await work();
    return { result, cost: { ms: spentBy(browser).ms - before.ms, mb: Math.round(most - before.mb) } };
  } finally {
    clearInterval(sampling);
  }
};

/** Made once for both browsers, because some take longer to make than to read. */
const cars = new Map<number, Uint8Array>();

const site = useSite();
beforeAll(async () => {
  const resolveDir = fileURLToPath(new URL('.', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: WORKER, resolveDir, loader: 'js' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    external: ['fs', 'path', 'crypto', 'node:*'],
    logLevel: 'error',
  });
  site().on('/bounds', (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE));
  site().on(
    '/bounds-worker.js',
    (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/javascript' }).end(outputFiles[0]!.text),
  );
  const warm = carOf(await repositoryOf({ records: posts(200), fields: { rev: BASE_REV } }));
  site().on('/warm.car', (_request, response) => void response.end(warm));
});

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    // Alone, because the test measures all processes of the browser.
    const started = useBrowserWith(
      name,
      async (browser) => ({ browser, page: await browser.open(`${site().url}bounds`) }),
      { isAlone: true },
    );

    test.each(boundsCases.map((one, i) => [one.name, one, i] as const))('%s', async (_name, { car, end }, i) => {
      const bytes = cars.get(i) ?? (await car());
      cars.set(i, bytes);
      site().on(`/${i}.car`, (_request, response) => void response.end(bytes));
      const { browser, page } = started();
      const ask = <T>(args: object): Promise<T> => page.run<T>('worker', 'hasOpfs', args);
      await ask({ verb: 'prepare', name: `bounds-${i}-${Date.now()}`, url: '/warm.car' });
      const pid = drivenOf(browser).process()!.pid!;
      // The browser itself transfers the bytes, which is half of the time for the longest CAR.
      const { cost: reading } = await costOf(pid, () => ask({ verb: 'read', url: `/${i}.car` }));
      const { result: outcome, cost } = await costOf(pid, () =>
        ask<{ end: string; ms: number; polluted: boolean }>({ verb: 'import', url: `/${i}.car` }),
      );
      await ask({ verb: 'end' });
      if (process.env['PDSDB_TABLE'] !== undefined) {
        console.log(
          `${name}: ${_name}: ${outcome.end} after ${outcome.ms} ms by the clock, ${cost.ms} ms of work, ${cost.mb} MB more; reading: ${reading.ms} ms, ${reading.mb} MB`,
        );
      }
      expect(outcome).toMatchObject({ end, polluted: false });
      expect(cost.mb, 'megabytes').toBeLessThan(MOST_MB);
      expect(cost.ms - reading.ms, 'milliseconds').toBeLessThan(MOST_MS);
    });
  });
}
