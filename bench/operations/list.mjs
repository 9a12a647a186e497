import { join } from 'node:path';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { openRepo } from '../../dist/node.js';
import { CBOR, NodeStore, NodeWalker, storeOver } from '../contenders/atcute.mjs';
import { Repo, StorageOver } from '../contenders/atproto.mjs';
import { openNative } from '../contenders/native-blocks.mjs';

const COLLECTION = 'app.bsky.feed.post';
const COUNT = 18_000;

export const title = 'List 18,000 records with their values';
export const targets = { '@atproto/repo + better-sqlite3': 4, '@atcute/mst + better-sqlite3': 1.5 };
/** Collections of the smaller samples have fewer records. */
export const sizes = [100_000];

const blockFile = (input) => join(input.repo, 'pds.db');

const assertCount = (count) => {
  if (count !== COUNT) throw new Error(`listed ${count}`);
};

export const contenders = {
  pdsdb: {
    does: 'walk and records in batches, every hash checked; opened and closed',
    skips: 'nothing',
    load: (input) => async () => {
      const repo = await openRepo(input.repo);
      let count = 0;
      for await (const { value } of repo.list(COLLECTION, { limit: COUNT }))
        count += value.$type === COLLECTION ? 1 : 0;
      assertCount(count);
      await repo.close();
    },
  },
  '@atproto/repo + better-sqlite3': {
    does: 'walkRecords from the start of the collection',
    skips: 'hashes',
    load: (input) => async () => {
      const native = openNative(blockFile(input), { readonly: true });
      const repo = await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head));
      let count = 0;
      for await (const { collection, record } of repo.walkRecords(`${COLLECTION}/`)) {
        if (count === COUNT || collection !== COLLECTION) break;
        count += record.$type === COLLECTION ? 1 : 0;
      }
      assertCount(count);
      native.close();
    },
  },
  '@atcute/mst + better-sqlite3': {
    does: 'entriesInRange, records decoded one by one',
    skips: 'hashes',
    load: (input) => async () => {
      const native = openNative(blockFile(input), { readonly: true });
      const { data } = CBOR.decode(native.get(input.head));
      const walker = await NodeWalker.create(new NodeStore(storeOver(native)), data.$link);
      let count = 0;
      for await (const [, link] of walker.entriesInRange(`${COLLECTION}/`, `${COLLECTION}/~`)) {
        if (count === COUNT) break;
        count += CBOR.decode(native.get(link.$link)).$type === COLLECTION ? 1 : 0;
      }
      assertCount(count);
      native.close();
    },
  },
};
