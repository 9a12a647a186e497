import { join } from 'node:path';
import { openRepo } from '../../dist/node.js';
import {
  CAR,
  CBOR,
  CID,
  MemoryBlockStore,
  NodeStore,
  NodeWrangler,
  commitWithAtcute,
  secretOf,
} from '../contenders/atcute.mjs';
import { Repo, StorageOver, WriteOpAction, keypairOf } from '../contenders/atproto.mjs';
import { openNative } from '../contenders/native-blocks.mjs';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { SECRET } from '../input.mjs';
import { freshKey, freshRecord } from '../sample-account.mjs';

const COUNT = 1000;
const COLLECTION = 'app.bsky.feed.post';

export const title = 'One commit of 1,000 creates';
/** The time does not depend on the number of records. */
export const isShort = true;
export const targets = { '@atproto/repo + better-sqlite3': { 100000: 10 }, '@atcute/mst in memory': { 100000: 1.5 } };

export const contenders = {
  pdsdb: {
    does: 'tree, signature checked against its key, one transaction, flushed',
    skips: 'nothing',
    load: async (input) => {
      const folder = join(input.scratch(), 'repo');
      input.copyRepo(folder);
      const repo = await openRepo(folder, { signer: input.signer });
      let n = 0;
      return async () => {
        const ops = Array.from({ length: COUNT }, () => ({
          action: 'create',
          collection: COLLECTION,
          rkey: freshKey(n),
          value: freshRecord(n++),
        }));
        await repo.write(ops);
      };
    },
  },
  '@atproto/repo + better-sqlite3': {
    does: 'applyWrites, one transaction, flushed',
    skips: 'checking the signature',
    load: async (input) => {
      const folder = join(input.scratch(), 'repo');
      input.copyRepo(folder);
      const native = openNative(join(folder, 'pds.db'));
      let repo = await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head));
      const keypair = await keypairOf(SECRET);
      let n = 0;
      return async () => {
        const writes = Array.from({ length: COUNT }, () => ({
          action: WriteOpAction.Create,
          collection: COLLECTION,
          rkey: freshKey(n),
          record: freshRecord(n++),
        }));
        repo = await repo.applyWrites(writes, keypair);
      };
    },
  },
  '@atcute/mst in memory': {
    does: 'putRecord for each, signature',
    skips: 'anything durable',
    load: async (input) => {
      const blocks = new Map();
      for (const { cid, bytes } of CAR.fromUint8Array(input.car())) blocks.set(CID.toString(cid), bytes);
      const store = new MemoryBlockStore(blocks);
      const wrangler = new NodeWrangler(new NodeStore(store));
      const secret = await secretOf(SECRET);
      let data = input.data;
      let n = 0;
      return async () => {
        for (let i = 0; i < COUNT; i++) {
          const bytes = CBOR.encode(freshRecord(n));
          const cid = CID.toString(await CID.create(CID.CODEC_DCBOR, bytes));
          await store.put(cid, bytes);
          data = await wrangler.putRecord(data, `${COLLECTION}/${freshKey(n++)}`, { $link: cid });
        }
        const commit = await commitWithAtcute({ did: input.did, data, rev: freshKey(n), secret });
        await store.put(commit.cid, commit.bytes);
      };
    },
  },
};
