/** Loads SQLite in Node and Bun, from the file in the package. */
import { readFile } from 'node:fs/promises';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

let compiling: Promise<WebAssembly.Module> | undefined;

/**
 * Returns the compiled WebAssembly of sql.js. Later calls in the process return the same module; after a failure the
 * next call tries again.
 * @param source Replaces the file of the package.
 * @throws {RepoError} `Unsupported` if the file is missing, as in a bundled program, or cannot be compiled;
 *   `StorageFailed` if it cannot be read.
 */
export const nodeSqliteWasm = (source?: WasmSource): Promise<WebAssembly.Module> => {
  compiling ??= compile(source);
  return compiling;
};

const compile = async (source: WasmSource | undefined): Promise<WebAssembly.Module> => {
  try {
    return await compileSqlite(source, read);
  } catch (error) {
    compiling = undefined;
    throw error;
  }
};

/** The path for running the sources. The build replaces it with the path of the file in the package. */
const packaged = (): URL => new URL('../../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url);

const read = async (source: string | URL | undefined): Promise<Uint8Array> => {
  let place = source;
  try {
    place ??= packaged();
    return await readFile(place);
  } catch (error) {
    // In a CommonJS bundle, `import.meta.url` is missing and the URL is not valid.
    if (isNotFound(error) || place === undefined) {
      throw wasmIsMissing(
        `the file of SQLite${place === undefined ? '' : `, ${String(place)},`}`,
        'pass the option `wasm`, with the bytes, the path, the URL or the compiled module of pdsdb/sql-wasm.wasm; a ' +
          'bundler does not copy that file by itself',
        error,
      );
    }
    throw toStorageError(error, `reading ${String(place)}`);
  }
};
