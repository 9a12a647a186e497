/** The one function of sql.js that is called. What it answers is looked over in `c-api.ts`, not believed. */
declare module 'sql.js' {
  interface Hooks {
    /** Emscripten's hook: starts the module in place of sql.js, and hands the instance over. */
    readonly instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) => object;
  }
  /** Memoised by sql.js: the hooks of every call but the first are passed over. */
  export default function initSqlJs(hooks: Hooks): Promise<unknown>;
}
