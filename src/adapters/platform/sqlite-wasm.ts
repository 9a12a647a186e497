/** Compiles the WebAssembly of SQLite from any source. */
import { isBytes, isWebAssembly } from '../../core/data/platform-values.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';

/**
 * The file `pdsdb/sql-wasm.wasm`: its bytes, its path or URL, or the compiled module. A text is a path in Node, Bun and
 * Deno, and a URL in a browser.
 */
export type WasmSource = string | URL | Uint8Array | WebAssembly.Module;

const messageOf = (error: unknown): string => (error as Partial<Error> | null)?.message ?? String(error);

/** Returns the error for a missing file. `what` completes the sentence "… is missing". */
export const wasmIsMissing = (what: string, todo: string, cause?: unknown): RepoError =>
  new RepoError('Unsupported', `${what} is missing: ${todo}`, { cause });

/**
 * Returns the compiled WebAssembly of sql.js.
 * @param read Returns the bytes of a source that is neither bytes nor a module.
 * @throws {RepoError} `Unsupported` if the engine has no WebAssembly, or cannot compile it; the codes of `read`.
 */
export const compileSqlite = async <S extends string | URL | undefined>(
  source: S | Uint8Array | WebAssembly.Module,
  read: (source: S) => Promise<Uint8Array>,
): Promise<WebAssembly.Module> => {
  if (typeof WebAssembly === 'undefined') {
    throw new RepoError(
      'Unsupported',
      'SQLite needs WebAssembly, which this JavaScript engine does not have: run Node without --jitless',
    );
  }
  if (isWebAssembly(source, 'Module')) {
    return source;
  }
  const bytes = isBytes(source) ? source : await read(source);
  try {
    return await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    if (isRepoError(cause)) {
      throw cause;
    }
    throw new RepoError(
      'Unsupported',
      `cannot compile the WebAssembly of SQLite: ${messageOf(cause)}. Use the file pdsdb/sql-wasm.wasm, and allow ` +
        `'wasm-unsafe-eval' in the content security policy; size=${bytes.length}`,
      { cause },
    );
  }
};
