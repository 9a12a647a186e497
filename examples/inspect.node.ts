/**
 * Shows the content of a CAR file or of a repository folder: the account, the counts, the newest posts, and whether
 * everything is valid. Node 22.18 and later run this file directly:
 *
 *     node examples/inspect.node.ts alice.car
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Repo } from 'pdsdb';
import { decodeCommit, readCarStream } from 'pdsdb';
import { createRepo, openRepo } from 'pdsdb/node';

const POSTS = 'app.bsky.feed.post';

/** Returns the account of a CAR, from the commit, which may be anywhere in the file. */
const didOf = async (path: string): Promise<string> => {
  const car = await readCarStream(createReadStream(path));
  for await (const blocks of car) {
    const commit = blocks.find(({ cid }) => car.roots[0]?.equals(cid));
    if (commit !== undefined) {
      return decodeCommit(commit.bytes).did;
    }
  }
  throw new Error(`The CAR lacks the commit that its header names: export or download it again; path=${path}`);
};

const show = async (repo: Repo): Promise<void> => {
  const info = await repo.info();
  console.log(`account      ${info.did}`);
  console.log(`head         ${info.head?.toString() ?? 'none yet'}`);
  console.log(`rev          ${info.rev ?? 'none yet'}`);
  for (const { collection, count } of info.collections) {
    console.log(`${String(count).padStart(7)}  ${collection}`);
  }
  if (info.collections.some(({ collection }) => collection === POSTS)) {
    console.log('the newest posts:');
    for await (const { rkey, value } of repo.list(POSTS, { reverse: true, limit: 3 })) {
      console.log(`  ${rkey}  ${JSON.stringify(value.text)}`);
    }
  }
  const { ok, faults, signature } = await repo.verify();
  console.log(`valid        ${ok ? 'yes' : 'no'}; signature ${signature}`);
  for (const { code, message } of faults) {
    console.log(`  ${code}: ${message}`);
  }
};

const [path] = process.argv.slice(2);
if (path === undefined) {
  throw new Error('Give the path of a CAR file or of a repository folder: node examples/inspect.node.ts alice.car');
}
if ((await stat(path)).isDirectory()) {
  const repo = await openRepo(path);
  try {
    await show(repo);
  } finally {
    await repo.close();
  }
} else {
  const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  try {
    const repo = await createRepo(folder, { did: await didOf(path) });
    try {
      await repo.importCar(createReadStream(path), { allowUnsigned: true });
      await show(repo);
    } finally {
      await repo.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
