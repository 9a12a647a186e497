/** Where Node and Bun find SQLite: beside the sql.js that is installed. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

let compiling: Promise<WebAssembly.Module> | undefined;

/** The compiled WebAssembly of sql.js, once a process. After a failure the next call tries again. */
export const nodeSqliteWasm = (): Promise<WebAssembly.Module> => {
  compiling ??= compile();
  return compiling;
};

const compile = async (): Promise<WebAssembly.Module> => {
  try {
    const path = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');
    return await WebAssembly.compile(await readFile(path));
  } catch (error) {
    compiling = undefined;
    throw error;
  }
};
