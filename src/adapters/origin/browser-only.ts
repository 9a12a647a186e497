/** Says that the entry points for browsers run in browsers, before anything else fails there. */
import { RepoError } from '../../core/errors.ts';

/** What a browser has, and a server that renders pages, Node, Bun, Deno and jsdom have not. */
interface Facilities {
  readonly Worker?: unknown;
  readonly indexedDB?: unknown;
  readonly navigator?: { readonly storage?: { readonly getDirectory?: unknown } };
}

/**
 * Does nothing in a browser.
 * @param needsWorker Whether a worker is about to be made.
 * @throws {RepoError} `Unsupported`, with what is missing and what to import instead.
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
      `pdsdb/browser and pdsdb/worker need a browser, and there is no ${missing.join(', no ')} here: while a server ` +
        'renders a page, leave the call to the page (an effect, or after hydration); in Node and Bun import pdsdb/node, ' +
        'in Deno pdsdb/deno',
    );
  }
};
