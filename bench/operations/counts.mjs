import { openRepo } from '../../dist/node.js';

export const title = '`info()` and `collections()` of an open repository';
/** The time does not depend on the number of records. */
export const isShort = true;
export const targets = {};

export const contenders = {
  pdsdb: {
    does: 'info(): head, counts of records, blocks and blobs, sizes',
    skips: 'nothing',
    load: async (input) => {
      const repo = await openRepo(input.repo);
      return async () => {
        const { records } = await repo.info();
        if (records === 0) throw new Error(`no records`);
      };
    },
  },
  'pdsdb, collections()': {
    does: 'the collections with their counts',
    skips: 'nothing',
    load: async (input) => {
      const repo = await openRepo(input.repo);
      return async () => {
        const counts = (await repo.collections()).map(({ count }) => count);
        if (counts.reduce((a, b) => a + b, 0) !== input.size) throw new Error(`${counts} records`);
      };
    },
  },
};
