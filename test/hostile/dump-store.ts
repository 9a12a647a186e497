/** Prints the whole content of a store, to compare it before and after. */
import { cidToText } from '../../src/core/data/cid.ts';
import { sha256 } from '../../src/core/data/sha256.ts';
import type { BlobStore, BlockStore } from '../../src/core/storage/ports.ts';

/** Returns one line per row, with a hash of its bytes. */
export const dumpStore = async (store: BlockStore, blobs: BlobStore): Promise<readonly string[]> => {
  const lines: string[] = [];
  for await (const cid of store.cids()) {
    const bytes = await store.get(cid);
    lines.push(`block ${cidToText(cid)} ${bytes && Buffer.from(sha256(bytes)).toString('hex')}`);
  }
  for await (const [name, cid] of store.refs()) {
    lines.push(`ref ${name} ${cidToText(cid)}`);
  }
  for await (const [rev, cid] of store.commits()) {
    lines.push(`commit ${rev} ${cidToText(cid)}`);
    lines.push(`message ${await store.meta(`message:${cidToText(cid)}`)}`);
  }
  for (const key of ['did', 'version', 'requests']) {
    lines.push(`meta ${key} ${await store.meta(key)}`);
  }
  for await (const { cid, size } of blobs.list()) {
    lines.push(`blob ${cidToText(cid)} ${size} ${await store.meta(`mime:${cidToText(cid)}`)}`);
  }
  return lines;
};
