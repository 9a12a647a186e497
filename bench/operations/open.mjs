import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import initSqlJs from 'sql.js';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { openRepo } from '../../dist/node.js';
import { CBOR, NodeStore, NodeWalker, storeOver } from '../contenders/atcute.mjs';
import { Repo, StorageOver } from '../contenders/atproto.mjs';
import { natives, openNative } from '../contenders/native-blocks.mjs';

export const title = 'Open in a running process and read one record';
/** The time does not depend on the number of records. */
export const isShort = true;
const ATCUTE = 1 / 1.6;
export const targets = {
  '@atcute/mst + better-sqlite3': { 1000: ATCUTE, 10000: ATCUTE, 100000: ATCUTE },
};

const blockFile = (input) => join(input.repo, 'pds.db');

const withAtcute = (driver) => ({
  does: 'path of the tree, record',
  skips: 'hashes, the lock, the layout; the CID of the head, which is given',
  load: (input) => {
    const paths = input.randomPaths(100_000, 7);
    return async () => {
      const native = openNative(blockFile(input), { readonly: true, ...natives[driver] });
      const { data } = CBOR.decode(native.get(input.head));
      const walker = await NodeWalker.create(new NodeStore(storeOver(native)), data.$link);
      const link = await walker.findRpath(paths.pop());
      CBOR.decode(native.get(link.$link));
      native.close();
    };
  },
});

export const contenders = {
  pdsdb: {
    does: 'lock, layout, head, path of the tree with every hash checked, record; closed',
    skips: 'nothing',
    load: (input) => {
      const paths = input.randomPaths(100_000, 7);
      return async () => {
        const repo = await openRepo(input.repo);
        const [collection, rkey] = paths.pop().split('/');
        const found = await repo.get(collection, rkey);
        if (found === undefined) throw new Error('not found');
        await repo.close();
      };
    },
  },
  ...Object.fromEntries(Object.keys(natives).map((driver) => [`@atcute/mst + ${driver}`, withAtcute(driver)])),
  '@atproto/repo + better-sqlite3': {
    does: 'Repo.load, getRecord',
    skips: 'hashes, the lock, the layout; the CID of the head, which is given',
    load: (input) => {
      const paths = input.randomPaths(100_000, 7);
      return async () => {
        const native = openNative(blockFile(input), { readonly: true });
        const repo = await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head));
        if ((await repo.getRecord(...paths.pop().split('/'))) === null) throw new Error('not found');
        native.close();
      };
    },
  },
  '@atproto/repo + sql.js': {
    does: 'the whole file into memory, Repo.load, getRecord',
    skips: 'hashes, the lock, the layout; the CID of the head, which is given',
    load: async (input) => {
      const paths = input.randomPaths(100_000, 7);
      const SQL = await initSqlJs();
      return async () => {
        const db = new SQL.Database(readFileSync(blockFile(input)));
        const select = db.prepare('select value from blocks where key = ?');
        const blocks = { get: (cid) => select.get([cid])[0] };
        const repo = await Repo.load(new StorageOver(blocks), MultiformatsCid.parse(input.head));
        if ((await repo.getRecord(...paths.pop().split('/'))) === null) throw new Error('not found');
        db.close();
      };
    },
  },
};
