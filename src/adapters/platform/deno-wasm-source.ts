/**
 * The one import that Deno runs without leave to read, in a file of its own: runtimes that do not know it cannot parse
 * it.
 */

/**
 * The compiled WebAssembly of sql.js, as a source phase import. https://github.com/tc39/proposal-source-phase-imports
 * The build writes the place of the file in the package over the package sql.js.
 */
export const importSqliteWasm = (): Promise<WebAssembly.Module> =>
  // @ts-expect-error TypeScript 7.0 has no source phase imports.
  import.source('sql.js/dist/sql-wasm.wasm');
