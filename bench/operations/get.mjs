import { join } from 'node:path';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { openRepo } from '../../dist/node.js';
import { CBOR, NodeStore, NodeWalker, storeOver } from '../contenders/atcute.mjs';
import { Repo, StorageOver } from '../contenders/atproto.mjs';
import { openNative } from '../contenders/native-blocks.mjs';

const COUNT = 10_000;

export const title = 'Read 10,000 random records after open';
/** The time does not depend on the number of records. */
export const isShort = true;
export const targets = {
  '@atproto/repo + better-sqlite3': 3,
  '@atproto/repo + better-sqlite3, warm': 3,
  '@atcute/mst + better-sqlite3': 1,
};
/** A contender with warm caches is compared with ours with warm caches. */
export const against = { '@atproto/repo + better-sqlite3, warm': 'pdsdb, warm' };
export const divide = { by: COUNT, unit: 'us per record' };

const blockFile = (input) => join(input.repo, 'pds.db');

export const contenders = {
  pdsdb: {
    does: 'path of the tree and record, every hash checked when a block is read; opened and closed',
    skips: 'nothing',
    load: (input) => {
      const paths = input.randomPaths(COUNT).map((path) => path.split('/'));
      return async () => {
        const repo = await openRepo(input.repo);
        for (const [collection, rkey] of paths) {
          if ((await repo.get(collection, rkey)) === undefined) throw new Error('not found');
        }
        await repo.close();
      };
    },
  },
  'pdsdb, warm': {
    does: 'the same in a repository with warm caches',
    skips: 'nothing',
    load: async (input) => {
      const paths = input.randomPaths(COUNT).map((path) => path.split('/'));
      const repo = await openRepo(input.repo);
      return async () => {
        for (const [collection, rkey] of paths) {
          if ((await repo.get(collection, rkey)) === undefined) throw new Error('not found');
        }
      };
    },
  },
  '@atproto/repo + better-sqlite3': {
    does: 'getRecord',
    skips: 'hashes',
    load: (input) => {
      const paths = input.randomPaths(COUNT).map((path) => path.split('/'));
      return async () => {
        const native = openNative(blockFile(input), { readonly: true });
        const repo = await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head));
        for (const [collection, rkey] of paths) {
          if ((await repo.getRecord(collection, rkey)) === null) throw new Error('not found');
        }
        native.close();
      };
    },
  },
  '@atproto/repo + better-sqlite3, warm': {
    does: 'the same in a repository with warm caches',
    skips: 'hashes',
    load: async (input) => {
      const paths = input.randomPaths(COUNT).map((path) => path.split('/'));
      const native = openNative(blockFile(input), { readonly: true });
      const repo = await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head));
      return async () => {
        for (const [collection, rkey] of paths) {
          if ((await repo.getRecord(collection, rkey)) === null) throw new Error('not found');
        }
      };
    },
  },
  '@atcute/mst + better-sqlite3': {
    does: 'findRpath, record decoded',
    skips: 'hashes',
    load: (input) => {
      const paths = input.randomPaths(COUNT);
      return async () => {
        const native = openNative(blockFile(input), { readonly: true });
        const { data } = CBOR.decode(native.get(input.head));
        const store = new NodeStore(storeOver(native));
        for (const path of paths) {
          const walker = await NodeWalker.create(store, data.$link);
          const link = await walker.findRpath(path);
          CBOR.decode(native.get(link.$link));
        }
        native.close();
      };
    },
  },
};
