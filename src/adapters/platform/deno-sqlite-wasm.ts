/** Where Deno finds SQLite: in the package sql.js, as part of the program, so that reading it needs no permission. */
import { errorName } from '../../core/data/platform-values.ts';

/** What is used of Deno. */
interface DenoFiles {
  readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}

let loading: Promise<WebAssembly.Module> | undefined;

/**
 * The compiled WebAssembly of sql.js, once a process. After a failure the next call tries again. A Deno that does not
 * know source phase imports reads the file instead, for which it wants `--allow-read`.
 */
export const denoSqliteWasm = (): Promise<WebAssembly.Module> => {
  loading ??= load();
  return loading;
};

const load = async (): Promise<WebAssembly.Module> => {
  try {
    const source = await importSource();
    return source ?? (await compileFile());
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

const compileFile = async (): Promise<WebAssembly.Module> => {
  const { Deno } = globalThis as unknown as { readonly Deno: DenoFiles };
  return WebAssembly.compile(await Deno.readFile(new URL(import.meta.resolve('sql.js/dist/sql-wasm.wasm'))));
};
