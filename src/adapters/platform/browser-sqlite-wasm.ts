/**
 * Loads SQLite in browsers, from a file beside the built library. Bundlers copy it because of the `new URL` below.
 */
import { RepoError } from '../../core/errors.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

/**
 * Returns the compiled WebAssembly of sql.js.
 * @param source Replaces the file beside the library. A text is a URL, relative to the running script; in a worker from
 *   a `blob:` URL, relative to the origin of the page.
 * @throws {RepoError} `Unsupported` if the file is missing or cannot be compiled; `StorageFailed` if it cannot be
 *   loaded.
 */
export const browserSqliteWasm = (source: WasmSource | undefined): Promise<WebAssembly.Module> =>
  compileSqlite(source, load);

const ADVICE = 'pass its URL to serveRepos({ wasm }) or createPageWorker({ wasm })';

/** Returns `undefined` in a script whose own URL is not a base, such as a `blob:` URL. */
const packaged = (): URL | undefined => {
  try {
    // Bundlers look for exactly this expression.
    return new URL('../../wasm/sql-wasm.wasm', import.meta.url);
  } catch {
    // The URL of the script is not a base. The caller reports it.
    return undefined;
  }
};

/**
 * Returns an absolute URL. Some bundlers replace `new URL` with a path, and a worker from a `blob:` or `data:` URL has
 * no base, so this uses the origin there. Returns `undefined` without an origin.
 */
const absolute = (place: string | URL): string | undefined => {
  const { href, origin } = (globalThis as { readonly location?: Location }).location ?? {};
  const base = href === undefined || /^(blob|data):/.test(href) ? origin : href;
  try {
    return new URL(String(place), base).href;
  } catch {
    // Not a URL. The caller reports it.
    return undefined;
  }
};

const load = async (source: string | URL | undefined): Promise<Uint8Array> => {
  const place = source ?? packaged();
  const url = place === undefined ? undefined : absolute(place);
  if (url === undefined) {
    const where = place === undefined ? 'this script has a blob: or data: URL' : `${String(place)} is not a valid URL`;
    throw wasmIsMissing('the file of SQLite', `${where}: serve pdsdb/sql-wasm.wasm and ${ADVICE}`);
  }
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetch(url);
    // Not `compileStreaming`, which needs a MIME type that many servers do not send.
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const { message } = cause as Error;
    throw new RepoError(
      'StorageFailed',
      `cannot load the file of SQLite: ${message}. Check the network, then try again; url=${url}`,
      { cause },
    );
  }
  // A development server sends a page if the file is missing.
  if (!response.ok || bytes[0] === '<'.charCodeAt(0)) {
    const found = response.ok ? 'an HTML page' : `${response.status} ${response.statusText}`.trim();
    throw wasmIsMissing(
      'the file of SQLite',
      `copy pdsdb/sql-wasm.wasm (node_modules/pdsdb/dist/wasm/sql-wasm.wasm) to ${url}, or ${ADVICE}; the server sent ` +
        found,
    );
  }
  return bytes;
};
