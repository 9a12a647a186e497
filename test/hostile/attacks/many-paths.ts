/** A schema whose pages lead from one to the next on many paths. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack } from './attack.ts';
import { makePosts } from './attack.ts';

/** Pages of inner nodes of the schema. Each refers to the next one 500 times. */
export const manyPaths: Attack['make'] = async (folder) => {
  await makePosts(folder);
  const path = join(folder, 'pds.db');
  const page = (next: number): Uint8Array => {
    const bytes = new Uint8Array(4096);
    bytes.set([5, 0, 0, 500 >> 8, 500 & 255, 0, 0, 0, 0, 0, next >> 8, next & 255]);
    for (let i = 0; i < 500; i++) {
      bytes.set([4000 >> 8, 4000 & 255], 12 + 2 * i);
    }
    bytes.set([0, 0, next >> 8, next & 255, 1], 4000);
    return bytes;
  };
  const bytes = readFileSync(path);
  const pages = bytes.length / 4096;
  const added = Array.from({ length: 15 }, (_, i) => page(pages + 2 + i));
  const all = Buffer.concat([bytes, ...added, new Uint8Array(4096)]);
  all[all.length - 4096] = 13;
  all.set([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, (pages + 1) >> 8, (pages + 1) & 255], 100);
  // The number of pages.
  all.writeUInt32BE(pages + 16, 28);
  writeFileSync(path, all);
};
