// The bundler puts the bytes of the file into the bundle.
import wasm from 'pdsdb/sql-wasm.wasm';
import { runApp } from './run-app.js';

runApp({ wasm });
