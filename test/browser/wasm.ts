/** SQLite for the page and the worker, compiled once in each. */

let compiling: Promise<WebAssembly.Module> | undefined;

export const wasm = (): Promise<WebAssembly.Module> =>
  (compiling ??= WebAssembly.compileStreaming(fetch('/sql-wasm.wasm')));
