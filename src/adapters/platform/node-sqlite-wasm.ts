/** Where Node and Bun find SQLite: in the file that the package ships. */
import { readFile } from 'node:fs/promises';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

let compiling: Promise<WebAssembly.Module> | undefined;

/**
 * Returns the compiled WebAssembly of sql.js, once a process: later calls return what the first one did. After a
 * failure the next call tries again.
 * @param source In place of the file of the package.
 * @throws {RepoError} `Unsupported` when there is no file, which happens in a program that was bundled, or when it
 *   cannot be compiled; `StorageFailed` when it cannot be read.
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

/** The build writes the place of the file in the package over this one, which is for running the sources. */
const packaged = (): URL => new URL('../../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url);

const read = async (source: string | URL | undefined): Promise<Uint8Array> => {
  let place = source;
  try {
    place ??= packaged();
    return await readFile(place);
  } catch (error) {
    // A bundle in CommonJS does not know where it is: the URL is not valid then.
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
