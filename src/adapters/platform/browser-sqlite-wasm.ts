/**
 * Where browsers find SQLite: a file beside the built library, which bundlers copy along because it is named like this.
 */
import { RepoError } from '../../core/errors.ts';
import { isWebAssembly } from '../../core/data/platform-values.ts';

/** The file itself, where it is, or what it was compiled to. */
export type WasmSource = string | URL | WebAssembly.Module;

/**
 * The compiled WebAssembly of sql.js.
 * @param source In place of the file beside the library. A text is a URL, relative to the script that runs.
 * @throws {RepoError} `StorageFailed` when it cannot be loaded.
 */
export const browserSqliteWasm = async (source: WasmSource | undefined): Promise<WebAssembly.Module> => {
  if (isWebAssembly(source, 'Module')) {
    return source;
  }
  // Written out in one piece: this is what bundlers look for.
  const url = source ?? new URL('../../wasm/sql-wasm.wasm', import.meta.url);
  try {
    const response = await fetch(url);
    if (!response.ok) {
      throw new RepoError('StorageFailed', `the server answers ${response.status} ${response.statusText}`);
    }
    // Not `compileStreaming`, which insists on a MIME type that many servers do not give; the file is small.
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw new RepoError(
      'StorageFailed',
      `SQLite could not be loaded: ${(cause as Error).message}; url=${String(url)}`,
      { cause },
    );
  }
};
