/** Checks that the entry points for browsers run in a browser. */
import { RepoError } from '../../core/errors.ts';

/** Globals that a browser has, and that servers, Node, Bun, Deno and jsdom do not have. */
interface Facilities {
  readonly Worker?: unknown;
  readonly indexedDB?: unknown;
  readonly navigator?: { readonly storage?: { readonly getDirectory?: unknown } };
}

/**
 * Checks that this is a browser.
 * @param needsWorker Whether the caller will create a worker.
 * @throws {RepoError} `Unsupported`. The message names the missing globals and the module to import instead.
 */
export const assertBrowser = (needsWorker: boolean): void => {
  const { Worker: worker, indexedDB: database, navigator: device } = globalThis as unknown as Facilities;
  const hasStorage = database !== undefined || device?.storage?.getDirectory !== undefined;
  const missing = [
    ...(hasStorage ? [] : ['IndexedDB', 'OPFS']),
    ...(needsWorker && worker === undefined ? ['Worker'] : []),
  ];
  if (missing.length > 0) {
    throw new RepoError(
      'Unsupported',
      `pdsdb/browser and pdsdb/worker need a browser; missing here: ${missing.join(', ')}. In Node and Bun, import ` +
        'pdsdb/node, and in Deno pdsdb/deno. If a server renders the page, call pdsdb only in the page (in an effect, ' +
        'or after hydration)',
    );
  }
};
