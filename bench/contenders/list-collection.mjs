// Lists 18 % of the records, all of one collection, with their values.
import { join } from 'node:path';
import { CID as MultiformatsCid } from 'multiformats/cid';
import { openRepo } from '../../dist/node.js';
import { CBOR, NodeStore, NodeWalker, storeOver } from './atcute.mjs';
import { Repo, StorageOver } from './atproto.mjs';
import { openNative } from './native-blocks.mjs';

const SHARE = 0.18;

const blockFile = (input) => join(input.repo, 'pds.db');
const countOf = (input) => Math.floor(input.size * SHARE);

const assertCount = (input, count) => {
  if (count !== countOf(input)) throw new Error(`listed ${count}`);
};

export const listOperation = (collection, plural) => ({
  title: `List ${plural} with their values, 18 % of all records`,
  targets: { '@atcute/mst + better-sqlite3': { 1000: 1.5, 100000: 1.5 } },
  contenders: {
    pdsdb: {
      does: 'opened; walk and records in batches, every hash checked; closed',
      skips: 'nothing',
      load: (input) => async () => {
        const repo = await openRepo(input.repo);
        let count = 0;
        for await (const { value } of repo.list(collection, { limit: countOf(input) })) {
          count += value.$type === collection ? 1 : 0;
        }
        assertCount(input, count);
        await repo.close();
      },
    },
    '@atproto/repo + better-sqlite3': {
      does: 'opened; walkRecords from the start of the collection; closed',
      skips: 'hashes; the CID of the head, which is given',
      load: (input) => async () => {
        const native = openNative(blockFile(input), { readonly: true });
        const repo = await Repo.load(new StorageOver(native), MultiformatsCid.parse(input.head));
        let count = 0;
        for await (const found of repo.walkRecords(`${collection}/`)) {
          if (count === countOf(input) || found.collection !== collection) break;
          count += found.record.$type === collection ? 1 : 0;
        }
        assertCount(input, count);
        native.close();
      },
    },
    '@atcute/mst + better-sqlite3': {
      does: 'opened; entriesInRange, records decoded one by one; closed',
      skips: 'hashes; the CID of the head, which is given',
      load: (input) => async () => {
        const native = openNative(blockFile(input), { readonly: true });
        const { data } = CBOR.decode(native.get(input.head));
        const walker = await NodeWalker.create(new NodeStore(storeOver(native)), data.$link);
        let count = 0;
        for await (const [, link] of walker.entriesInRange(`${collection}/`, `${collection}/~`)) {
          if (count === countOf(input)) break;
          count += CBOR.decode(native.get(link.$link)).$type === collection ? 1 : 0;
        }
        assertCount(input, count);
        native.close();
      },
    },
  },
});
