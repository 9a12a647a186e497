#!/usr/bin/env node
/** The command `pdsdb`: prepares the engine for a process that soon ends, then loads the command. */
import module from 'node:module';
import v8 from 'node:v8';

/**
 * How much a function of SQLite runs before V8 compiles it again with optimizations. V8's default suits programs that
 * run for minutes: a short verb would spend half of its processor time on code that it no longer needs.
 */
const TIERING_BUDGET = 100_000_000;

// Only Node has V8's flags and this cache. The cache exists since Node 22.1, in the folder for temporary files.
if (process.versions['bun'] === undefined && process.versions['deno'] === undefined) {
  v8.setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  (module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
}

const { main } = await import('./cli/main.ts');
await main();
