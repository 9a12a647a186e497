/** Compiles the WebAssembly of SQLite, whatever it comes from, and says what is missing where that fails. */
import { isBytes, isWebAssembly } from '../../core/data/platform-values.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';

/**
 * The file `pdsdb/sql-wasm.wasm`: its bytes, where it is, or the module it was compiled to. A text is a path in Node,
 * Bun and Deno, and a URL in a browser.
 */
export type WasmSource = string | URL | Uint8Array | WebAssembly.Module;

const messageOf = (error: unknown): string => (error as Partial<Error> | null)?.message ?? String(error);

/** The error of a file that is not where it was looked for. `what` completes the sentence "… is missing". */
export const wasmIsMissing = (what: string, todo: string, cause?: unknown): RepoError =>
  new RepoError('Unsupported', `${what} is missing: ${todo}`, { cause });

/**
 * Returns the compiled WebAssembly of sql.js.
 * @param read Returns the bytes of a source that is neither bytes nor a module.
 * @throws {RepoError} `Unsupported` when the engine has no WebAssembly, or refuses to compile it; as `read` does.
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
      `the WebAssembly of SQLite cannot be compiled: ${messageOf(cause)}; it is the file pdsdb/sql-wasm.wasm, and a ` +
        `content security policy has to allow 'wasm-unsafe-eval'; size=${bytes.length}`,
      { cause },
    );
  }
};
