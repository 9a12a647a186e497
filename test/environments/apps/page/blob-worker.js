import { serveRepos } from 'pdsdb/worker';

// The build says where the wasm file is.
serveRepos({ wasm: WASM });
