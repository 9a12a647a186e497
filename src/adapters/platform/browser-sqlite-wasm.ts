/**
 * Where browsers find SQLite: a file beside the built library, which bundlers copy along because it is named like this.
 */
import { RepoError } from '../../core/errors.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

/**
 * Returns the compiled WebAssembly of sql.js.
 * @param source In place of the file beside the library. A text is a URL, relative to the script that runs; in a worker
 *   that was made from a `blob:` URL, relative to the origin of the page.
 * @throws {RepoError} `Unsupported` when the file is not there, or cannot be compiled; `StorageFailed` when it cannot
 *   be loaded.
 */
export const browserSqliteWasm = (source: WasmSource | undefined): Promise<WebAssembly.Module> =>
  compileSqlite(source, load);

const ADVICE = 'pass its URL to serveRepos({ wasm }) or createPageWorker({ wasm })';

/** `undefined` in a script whose own URL is no base for others, such as a `blob:` URL. */
const packaged = (): URL | undefined => {
  try {
    // Written out in one piece: this is what bundlers look for.
    return new URL('../../wasm/sql-wasm.wasm', import.meta.url);
  } catch {
    // The one reason for which it fails, and the caller says what to do about it.
    return undefined;
  }
};

/**
 * Some bundlers make a path without an origin of `new URL`, and a worker from a `blob:` or `data:` URL has no base for
 * one. `undefined` where there is no origin either.
 */
const absolute = (place: string | URL): string | undefined => {
  const { href, origin } = (globalThis as { readonly location?: Location }).location ?? {};
  const base = href === undefined || /^(blob|data):/.test(href) ? origin : href;
  try {
    return new URL(String(place), base).href;
  } catch {
    // Not a URL, which the caller says with what to pass instead.
    return undefined;
  }
};

const load = async (source: string | URL | undefined): Promise<Uint8Array> => {
  const place = source ?? packaged();
  const url = place === undefined ? undefined : absolute(place);
  if (url === undefined) {
    const where = place === undefined ? 'this script was made from a blob: or data: URL' : `${String(place)} is no URL`;
    throw wasmIsMissing('the file of SQLite', `${where}: serve pdsdb/sql-wasm.wasm and ${ADVICE}`);
  }
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetch(url);
    // Not `compileStreaming`, which insists on a MIME type that many servers do not give; the file is small.
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const { message } = cause as Error;
    throw new RepoError('StorageFailed', `the file of SQLite could not be loaded: ${message}; url=${url}`, { cause });
  }
  // A development server answers with a page where there is no file.
  if (!response.ok || bytes[0] === '<'.charCodeAt(0)) {
    const found = response.ok ? 'a page instead' : `${response.status} ${response.statusText}`.trim();
    throw wasmIsMissing(
      'the file of SQLite',
      `copy pdsdb/sql-wasm.wasm (node_modules/pdsdb/dist/wasm/sql-wasm.wasm) to ${url}, or ${ADVICE}; the server gave ` +
        found,
    );
  }
  return bytes;
};
