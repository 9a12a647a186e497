/** The verbs for the network, in the order of the help. A process loads them only if it needs one of them. */
import type { Verbs } from '../terminal/shell.ts';
import { addClone } from './clone.ts';
import { addPull } from './pull.ts';
import { addFollow } from './follow.ts';
import { addStatus } from './status.ts';
import { addOutboxVerbs } from './outbox.ts';
import { addPush } from './push.ts';
import { addMigrate } from './migrate.ts';
import { addLoginVerbs } from './login.ts';
import { addResolve } from './resolve.ts';
import { addBlobFetch } from './blob-fetch.ts';

export const NETWORK: Verbs = {
  clone: addClone,
  pull: addPull,
  follow: addFollow,
  status: addStatus,
  outbox: addOutboxVerbs,
  push: addPush,
  migrate: addMigrate,
  login: addLoginVerbs,
  resolve: addResolve,
  blob: addBlobFetch,
};
