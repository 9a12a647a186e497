/**
 * Where Deno finds SQLite: in the file that the package ships, as part of the program, so that reading it needs no
 * permission.
 */
import { errorName } from '../../core/data/platform-values.ts';
import { isNotFound, toStorageError } from '../../core/storage/storage-error.ts';
import { compileSqlite, wasmIsMissing } from './sqlite-wasm.ts';
import type { WasmSource } from './sqlite-wasm.ts';

/** What is used of Deno. */
interface DenoFiles {
  readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>;
}

let loading: Promise<WebAssembly.Module> | undefined;

/**
 * Returns the compiled WebAssembly of sql.js, once a process: later calls return what the first one did. After a
 * failure the next call tries again. A Deno that does not know source phase imports reads the file instead, for which
 * it wants `--allow-read`; so does a `source` that is a path or a URL of a file.
 * @param source In place of the file of the package.
 * @throws {RepoError} `Unsupported` when there is no file, or it cannot be compiled; `StorageFailed` when it cannot be
 *   read.
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
    // The syntax, or the kind of import, is not known: the file is read instead, and whatever is wrong shows there.
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
