/**
 * Where browsers find SQLite: a file beside the built library, which bundlers copy along because it is named like this.
 */
import { RepoError } from '../../core/errors.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

/**
 * Returns the compiled WebAssembly of sql.js.
 * @param source In place of the file beside the library. A text is a URL, relative to the script that runs.
 * @throws {RepoError} `Unsupported` when the file is not there, or cannot be compiled; `StorageFailed` when it cannot
 *   be loaded.
 */
export const browserSqliteWasm = (source: WasmSource | undefined): Promise<WebAssembly.Module> =>
  // Written out in one piece: this is what bundlers look for.
  compileSqlite(source ?? new URL('../../wasm/sql-wasm.wasm', import.meta.url), load);

/** Some bundlers make a path without an origin of `new URL`. A worker from a `blob:` URL has no base for one. */
const absolute = (place: string | URL): string => {
  const { href, origin } = globalThis.location;
  return new URL(String(place), /^(blob|data):/.test(href) ? origin : href).href;
};

const load = async (place: string | URL): Promise<Uint8Array> => {
  const url = typeof location === 'undefined' ? String(place) : absolute(place);
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
      `copy pdsdb/sql-wasm.wasm (node_modules/pdsdb/dist/wasm/sql-wasm.wasm) to ${url}, or pass its URL to ` +
        `serveRepos({ wasm }) or createPageWorker({ wasm }); the server gave ${found}`,
    );
  }
  return bytes;
};
