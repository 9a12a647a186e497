// Passes the second argument as the option `wasm`: the path of SQLite's file.
import { runApp } from './run-app.js';

runApp({ wasm: process.argv[3] });
