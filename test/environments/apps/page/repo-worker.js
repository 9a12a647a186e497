import { serveRepos } from 'pdsdb/worker';

serveRepos();
