/**
 * A child process that has many repositories open at once and prints its memory in MB. Run it with `--expose-gc`: `node
 * many-repos-child.mjs <folder> <count> <records>`
 */
import { join } from 'node:path';
import type { Repo } from '../../src/index.ts';
import { createRepo, openRepo } from '../../src/node.ts';

const [folder, count, records] = process.argv.slice(2) as [string, string, string];
const POST = 'app.bsky.feed.post';
const MB = 1_000_000;

const memory = (): { rss: number; heap: number; buffers: number } => {
  globalThis.gc!();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss: Math.round(rss / MB), heap: Math.round(heapUsed / MB), buffers: Math.round(arrayBuffers / MB) };
};
const post = (n: number) => ({ text: `${'x'.repeat(200)}${n}`, createdAt: '2026-01-01T00:00:00Z' });

const start = memory();
for (let i = 0; i < Number(count); i++) {
  await using repo = await createRepo(join(folder, String(i)), { did: `did:web:account${i}.example` });
  await repo.write(
    Array.from(
      { length: Number(records) },
      (_, n) => ({ action: 'create', collection: POST, value: post(n) }) as const,
    ),
  );
}
const repos: Repo[] = [];
for (let i = 0; i < Number(count); i++) {
  repos.push(await openRepo(join(folder, String(i))));
}
let read = 0;
for (const repo of repos) {
  for await (const _ of repo.list(POST)) {
    read += 1;
  }
  await repo.put(POST, '3l3qo2vutsw2b', post(-1));
}
const open = memory();
for (const repo of repos) {
  await repo.close();
}
console.log(JSON.stringify({ start, open, closed: memory(), read, referenced: repos.length }));
