import { openRepo } from '../../dist/node.js';
import { getFullRepo, inMemory } from '../contenders/atproto.mjs';

export const title = 'Export the whole repository as a CAR';
export const targets = { '@atproto/repo in memory': 10 };

export const contenders = {
  pdsdb: {
    does: 'from pds.db in preorder, every hash checked; opened and closed',
    skips: 'nothing',
    load: (input) => async () => {
      const repo = await openRepo(input.repo);
      let size = 0;
      for await (const chunk of repo.exportCar()) size += chunk.length;
      await repo.close();
      if (size < input.size * 200) throw new Error(`exported ${size} bytes`);
    },
  },
  '@atproto/repo in memory': {
    does: 'getFullRepo',
    skips: 'hashes, any storage',
    load: async (input) => {
      const { storage, root } = await inMemory(input.car());
      return async () => {
        let size = 0;
        for await (const chunk of getFullRepo(storage, root)) size += chunk.length;
        if (size < input.size * 200) throw new Error(`exported ${size} bytes`);
      };
    },
  },
};
