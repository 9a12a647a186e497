// The path of the file is an argument.
import { useRepo } from './use-repo.js';

useRepo({ wasm: process.argv[3] });
