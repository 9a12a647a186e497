import { join } from 'node:path';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { openRepo } from '../../dist/node.js';
import { CBOR, NodeStore, NodeWalker, storeOver } from '../contenders/atcute.mjs';
import { Repo, StorageOver, inMemory } from '../contenders/atproto.mjs';
import { natives, openNative } from '../contenders/native-blocks.mjs';

const COUNT = 10_000;

export const title = 'Read 10,000 random records';
/** The time does not depend on the number of records. */
export const isShort = true;
export const targets = {
  '@atcute/mst + better-sqlite3': { 1000: 1.2, 100000: 3 },
  '@atproto/repo in memory, the same records': { 1000: 1, 100000: 1 },
};
/** A contender that stays open is compared with ours that stays open, and so on. */
export const against = {
  '@atproto/repo + better-sqlite3, stays open': 'pdsdb, stays open',
  '@atproto/repo in memory, the same records': 'pdsdb, the same records',
};
export const divide = { by: COUNT, unit: 'us per record' };

const blockFile = (input) => join(input.repo, 'pds.db');
const HEAD = 'the CID of the head, which is given';

/** Each run reads other records, unless the contender reads the same ones again. */
const pathsOf = (input, n) => input.randomPaths(COUNT, 7 + n).map((path) => path.split('/'));

const readOurs = async (repo, paths) => {
  for (const [collection, rkey] of paths) {
    if ((await repo.get(collection, rkey)) === undefined) throw new Error('not found');
  }
};

const readTheirs = async (repo, paths) => {
  for (const [collection, rkey] of paths) {
    if ((await repo.getRecord(collection, rkey)) === null) throw new Error('not found');
  }
};

const loadNative = async (input) => {
  const native = openNative(blockFile(input), { readonly: true });
  return { native, repo: await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head)) };
};

const withAtcute = (driver) => ({
  does: 'opened; findRpath, record decoded; closed',
  skips: `hashes; ${HEAD}`,
  load: (input) => async (n) => {
    const native = openNative(blockFile(input), { readonly: true, ...natives[driver] });
    const { data } = CBOR.decode(native.get(input.head));
    const store = new NodeStore(storeOver(native));
    for (const path of input.randomPaths(COUNT, 7 + n)) {
      const walker = await NodeWalker.create(store, data.$link);
      const link = await walker.findRpath(path);
      CBOR.decode(native.get(link.$link));
    }
    native.close();
  },
});

export const contenders = {
  pdsdb: {
    does: 'opened; path of the tree and record, every hash checked when a block is read; closed',
    skips: 'nothing',
    load: (input) => async (n) => {
      const repo = await openRepo(input.repo);
      await readOurs(repo, pathsOf(input, n));
      await repo.close();
    },
  },
  'pdsdb, stays open': {
    does: 'the same in a repository that stays open',
    skips: 'nothing',
    load: async (input) => {
      const repo = await openRepo(input.repo);
      return (n) => readOurs(repo, pathsOf(input, n));
    },
  },
  'pdsdb, the same records': {
    does: 'the same, and each run reads the same records',
    skips: 'nothing',
    load: async (input) => {
      const repo = await openRepo(input.repo);
      const paths = pathsOf(input, 0);
      return () => readOurs(repo, paths);
    },
  },
  '@atproto/repo + better-sqlite3': {
    does: 'opened; getRecord; closed',
    skips: `hashes; ${HEAD}`,
    load: (input) => async (n) => {
      const { native, repo } = await loadNative(input);
      await readTheirs(repo, pathsOf(input, n));
      native.close();
    },
  },
  '@atproto/repo + better-sqlite3, stays open': {
    does: 'the same in a repository that stays open',
    skips: `hashes; ${HEAD}`,
    load: async (input) => {
      const { repo } = await loadNative(input);
      return (n) => readTheirs(repo, pathsOf(input, n));
    },
  },
  '@atproto/repo in memory, the same records': {
    does: 'getRecord of the same records in each run, with all blocks in memory',
    skips: `hashes, any storage; ${HEAD}`,
    load: async (input) => {
      const { storage, root } = await inMemory(input.car());
      const repo = await Repo.load(storage, root);
      const paths = pathsOf(input, 0);
      return () => readTheirs(repo, paths);
    },
  },
  ...Object.fromEntries(Object.keys(natives).map((driver) => [`@atcute/mst + ${driver}`, withAtcute(driver)])),
};
