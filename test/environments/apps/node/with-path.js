// Bun puts the file into the program, and gives its path there.
import wasm from 'pdsdb/sql-wasm.wasm' with { type: 'file' };
import { runApp } from './run-app.js';

runApp({ wasm });
