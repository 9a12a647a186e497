import { useRepo } from './use-repo.js';

useRepo({});
