// Reads the file of SQLite from the path in the first argument.
import { runApp } from './run-app.js';

runApp({ wasm: process.argv[3] });
