/**
 * Loads SQLite in Deno, from the file in the package. The file is part of the program, so reading it needs no
 * permission.
 */
import { errorName } from '../../core/data/platform-values.ts';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

/** The part of Deno's API that is used here. */
interface DenoFiles {
  readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>;
}

let loading: Promise<WebAssembly.Module> | undefined;

/**
 * Returns the compiled WebAssembly of sql.js. Later calls in the process return the same module; after a failure the
 * next call tries again. A Deno without source phase imports reads the file instead, which needs `--allow-read`. A
 * `source` that is a path or a file URL needs it too.
 * @param source Replaces the file of the package.
 * @throws {RepoError} `Unsupported` if the file is missing or cannot be compiled; `StorageFailed` if it cannot be read.
 */
export const denoSqliteWasm = (source?: WasmSource): Promise<WebAssembly.Module> => {
  loading ??= load(source);
  return loading;
};

const load = async (source: WasmSource | undefined): Promise<WebAssembly.Module> => {
  try {
    return await compileSqlite(source ?? (await importSource()), read);
  } catch (error) {
    loading = undefined;
    throw error;
  }
};

const importSource = async (): Promise<WebAssembly.Module | undefined> => {
  try {
    const { importSqliteWasm } = await import('./deno-wasm-source.ts');
    return await importSqliteWasm();
  } catch (error) {
    // This Deno has no source phase imports. The file is read instead.
    if (errorName(error) === 'SyntaxError' || errorName(error) === 'TypeError') {
      return undefined;
    }
    throw error;
  }
};

/** As in `deno-wasm-source.ts`. */
const packaged = (): URL => new URL('../../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url);

const read = async (source: string | URL | undefined): Promise<Uint8Array> => {
  const place = source ?? packaged();
  try {
    const { Deno } = globalThis as unknown as { readonly Deno: DenoFiles };
    return await Deno.readFile(place);
  } catch (error) {
    if (isNotFound(error) || errorName(error) === 'NotFound') {
      throw wasmIsMissing(
        `the file of SQLite, ${String(place)},`,
        'pass the option `wasm`, with the bytes, the path, the URL or the compiled module of pdsdb/sql-wasm.wasm',
        error,
      );
    }
    throw toStorageError(error, `reading ${String(place)}`);
  }
};
