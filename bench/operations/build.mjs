import { createTreeBuilder, cidToText, decodeCid } from '../../dist/index.js';
import { MemoryBlockStore, NodeStore, NodeWrangler } from '../contenders/atcute.mjs';
import { MST, MemoryBlockstore } from '../contenders/atproto.mjs';
import { CID as MultiformatsCid } from 'multiformats/cid';

export const title = 'Build a tree from sorted keys, and its root';
export const targets = { '@atproto/repo': { 100000: 5 }, '@atcute/mst': { 100000: 1 } };

const VALUE = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm';

export const contenders = {
  pdsdb: {
    does: 'every node encoded and hashed',
    skips: 'nothing',
    load: (input) => {
      const value = MultiformatsCid.parse(VALUE).bytes;
      let root;
      return () => {
        const builder = createTreeBuilder();
        for (const path of input.paths) builder.add(path, value);
        const built = cidToText(decodeCid(builder.finish()));
        if (root !== undefined && built !== root) throw new Error('another root');
        root = built;
      };
    },
  },
  '@atproto/repo': {
    does: 'MST.add for each key, getPointer',
    skips: 'nothing',
    load: (input) => {
      const value = MultiformatsCid.parse(VALUE);
      return async () => {
        let tree = await MST.create(new MemoryBlockstore());
        for (const path of input.paths) tree = await tree.add(path, value);
        await tree.getPointer();
      };
    },
  },
  '@atcute/mst': {
    does: 'putRecord for each key',
    skips: 'nothing',
    load: (input) => async () => {
      const wrangler = new NodeWrangler(new NodeStore(new MemoryBlockStore()));
      let root = null;
      for (const path of input.paths) root = await wrangler.putRecord(root, path, { $link: VALUE });
    },
  },
};
