import { join } from 'node:path';
import { openRepo } from '../../dist/node.js';
import { freshKey, freshRecord } from '../sample-account.mjs';

const COUNT = 100;
const COLLECTION = 'app.bsky.feed.post';

export const title = '100 signed commits, at once and one by one';
/** The time does not depend on the number of records. */
export const isShort = true;
export const targets = { 'pdsdb, one by one': { 1000: 1.3, 100000: 1.3 } };
export const divide = { by: COUNT * 1000, unit: 'ms per commit' };

const load = (write) => async (input) => {
  const folder = join(input.scratch(), 'repo');
  input.copyRepo(folder);
  const repo = await openRepo(folder, { signer: input.signer });
  let n = 0;
  const put = () => repo.put(COLLECTION, freshKey(n), freshRecord(n++));
  return () => write(put);
};

export const contenders = {
  pdsdb: {
    does: '100 calls of put at once: a commit for each, all durable before the first call resolves',
    skips: 'nothing',
    load: load((put) => Promise.all(Array.from({ length: COUNT }, put))),
  },
  'pdsdb, one by one': {
    does: 'each call of put after the one before it',
    skips: 'nothing',
    load: load(async (put) => {
      for (let i = 0; i < COUNT; i++) await put();
    }),
  },
};
