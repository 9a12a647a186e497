/** The worker of such a page. */
import { serveRepos } from '../../src/worker.ts';

serveRepos({ wasm: '/sql-wasm.wasm' });
