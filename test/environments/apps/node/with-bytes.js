// The bundler puts the bytes of the file into the bundle.
import wasm from 'pdsdb/sql-wasm.wasm';
import { useRepo } from './use-repo.js';

useRepo({ wasm });
