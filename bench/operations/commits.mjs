import { join } from 'node:path';
import { openRepo } from '../../dist/node.js';
import { CBOR, CID, NodeStore, NodeWrangler, commitWithAtcute, secretOf, storeOver } from '../contenders/atcute.mjs';
import { Repo, WriteOpAction, inMemory, keypairOf } from '../contenders/atproto.mjs';
import { openNative } from '../contenders/native-blocks.mjs';
import { SECRET } from '../input.mjs';
import { freshKey, freshRecord } from '../sample-account.mjs';

const COUNT = 500;
const COLLECTION = 'app.bsky.feed.post';

export const title = '500 signed commits of one record each';
/** The time does not depend on the number of records. */
export const isShort = true;
export const targets = { '@atcute/mst + better-sqlite3': { 1000: 1, 100000: 1 } };
export const divide = { by: COUNT * 1000, unit: 'ms per commit' };

export const contenders = {
  pdsdb: {
    does: 'tree, signature by libsecp256k1 if tiny-secp256k1 is installed, checked against its key, one flush per commit',
    skips: 'nothing',
    load: async (input) => {
      const folder = join(input.scratch(), 'repo');
      input.copyRepo(folder);
      const repo = await openRepo(folder, { signer: input.signer });
      let n = 0;
      return async () => {
        for (let i = 0; i < COUNT; i++) await repo.put(COLLECTION, freshKey(n), freshRecord(n++));
      };
    },
  },
  '@atproto/repo in memory': {
    does: 'applyWrites: tree, signature',
    skips: 'anything durable',
    load: async (input) => {
      const { storage, root } = await inMemory(input.car());
      let repo = await Repo.load(storage, root);
      const keypair = await keypairOf(SECRET);
      let n = 0;
      return async () => {
        for (let i = 0; i < COUNT; i++) {
          const record = freshRecord(n);
          repo = await repo.applyWrites(
            { action: WriteOpAction.Create, collection: COLLECTION, rkey: freshKey(n++), record },
            keypair,
          );
        }
      };
    },
  },
  '@atcute/mst + better-sqlite3': {
    does: 'putRecord, signature by OpenSSL, one flush per commit',
    skips: 'checking the signature; the head, which it has in memory',
    load: async (input) => {
      const folder = join(input.scratch(), 'repo');
      input.copyRepo(folder);
      const native = openNative(join(folder, 'pds.db'));
      const wrangler = new NodeWrangler(new NodeStore(storeOver(native)));
      const secret = await secretOf(SECRET);
      let data = input.data;
      let n = 0;
      return async () => {
        for (let i = 0; i < COUNT; i++) {
          const bytes = CBOR.encode(freshRecord(n));
          const cid = CID.toString(await CID.create(CID.CODEC_DCBOR, bytes));
          native.begin();
          native.put(cid, bytes);
          data = await wrangler.putRecord(data, `${COLLECTION}/${freshKey(n)}`, { $link: cid });
          const commit = await commitWithAtcute({ did: input.did, data, rev: freshKey(n), secret });
          native.put(commit.cid, commit.bytes);
          native.commit();
          n += 1;
        }
      };
    },
  },
};
