/**
 * An import that Deno runs without the permission to read. It is in a separate file, because other runtimes cannot
 * parse it.
 */

/**
 * Returns the compiled WebAssembly of sql.js. https://github.com/tc39/proposal-source-phase-imports
 * The build replaces the specifier with the path of the file in the package.
 */
export const importSqliteWasm = (): Promise<WebAssembly.Module> =>
  // @ts-expect-error TypeScript 7.0 has no source phase imports.
  import.source('sql.js/dist/sql-wasm.wasm');
