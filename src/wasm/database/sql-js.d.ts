/** The only function of sql.js that is called. `c-api.ts` checks its result. */
declare module 'sql.js' {
  interface Hooks {
    /** Emscripten's hook: instantiates the module instead of sql.js. */
    readonly instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) => object;
  }
  /** Memoised by sql.js: only the hooks of the first call are used. */
  export default function initSqlJs(hooks: Hooks): Promise<unknown>;
}
