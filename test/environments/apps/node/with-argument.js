// The path of the file is an argument.
import { runApp } from './run-app.js';

runApp({ wasm: process.argv[3] });
