import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createRepo } from '../../dist/node.js';

export const title = 'Import a CAR as a stream from a file: peak memory';
export const targets = {};

export const contenders = {
  pdsdb: {
    does: 'the import above, from a stream of 64 KiB chunks',
    skips: 'nothing',
    load: (input) => {
      const folder = input.scratch();
      let n = 0;
      return async () => {
        const repo = await createRepo(join(folder, String(n++)), { did: input.did });
        await repo.importCar(createReadStream(input.carFile), { key: input.key });
        await repo.close();
      };
    },
  },
};
