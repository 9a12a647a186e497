/**
 * A tour of the library with the export of a real account: `npm run demo`. It is plain JavaScript, because Node 20
 * does not run TypeScript. It writes its files to `out/demo`.
 */
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeCommit, generateKey, readCar } from 'pdsdb';
import { createRepo, openRepo } from 'pdsdb/node';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'out', 'demo');
const car = join(root, 'test', 'vectors', 'repos', 'fakermaker.repo.car');

let number = 0;
/** Runs one step, and prints its result and its duration. */
const step = async (title, run) => {
  const start = performance.now();
  const { said, result } = await run();
  const took = performance.now() - start;
  number += 1;
  console.log(
    `${String(number).padStart(2)}. ${title}\n    ${said}  (${took < 10 ? took.toFixed(1) : Math.round(took)} ms)`,
  );
  return result;
};

const same = (what, a, b) => {
  if (String(a) !== String(b)) {
    throw new Error(`${what}: ${a} is not ${b}`);
  }
};

const writeStream = async (path, stream) => {
  const file = await open(path, 'wx');
  try {
    for await (const chunk of stream) {
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const did = await step('Read the CAR and find whose it is', async () => {
  const opened = readCar(await readFile(car));
  const blocks = [...opened];
  const commit = decodeCommit(blocks.find(({ cid }) => cid.equals(opened.roots[0])).bytes);
  return {
    said: `${commit.did}, version ${commit.version}, ${blocks.length} blocks, every hash checked`,
    result: commit.did,
  };
});

const folder = join(out, 'repo');
let repo = await step('Create a repository', async () => {
  const created = await createRepo(folder, { did });
  return { said: `one SQLite file, ${join('out', 'demo', 'repo', 'pds.db')}`, result: created };
});

await step('Import the CAR', async () => {
  const { blocks, created, faults, head, missingBlobs } = await repo.importCar(await readFile(car));
  return {
    said: `head ${head}: ${blocks} blocks, ${created} records, ${missingBlobs} blobs missing, ${faults.length} faulty records`,
  };
});

await step('Verify everything', async () => {
  const { ok, faults, records, blocks } = await repo.verify();
  if (!ok) {
    throw new Error(faults.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  }
  return { said: `${blocks} blocks and ${records} records are sound` };
});

const [busiest] = await step('Count the collections', async () => {
  const collections = await repo.collections();
  const result = [...collections].sort((a, b) => b.count - a.count);
  return { said: result.map(({ collection, count }) => `${collection} ${count}`).join(', '), result };
});

await step(`List the last three of ${busiest.collection}`, async () => {
  const keys = [];
  for await (const { rkey } of repo.list(busiest.collection, { reverse: true, limit: 3 })) {
    keys.push(rkey);
  }
  return { said: keys.join(', ') };
});

const blob = await step('Store a blob', async () => {
  const image = new Blob([new Uint8Array(100_000).fill(7)], { type: 'image/png' });
  const ref = await repo.putBlob(image);
  return { said: `${ref.ref}, ${ref.mimeType}, ${ref.size} bytes`, result: ref };
});

await step('Write ten records on a branch: the account’s key is with its host, and a branch needs none', async () => {
  const ops = Array.from({ length: 10 }, (_, index) => ({
    action: 'create',
    collection: 'app.bsky.feed.post',
    value: {
      text: `Hello from the demo, ${index + 1} of 10`,
      createdAt: new Date().toISOString(),
      embed: { $type: 'app.bsky.embed.images', images: [{ alt: 'seven', image: blob }] },
    },
  }));
  const { cid } = await repo.branch('draft').write(ops, { message: 'ten posts' });
  let changes = 0;
  for await (const _ of repo.branch('draft').diff()) {
    changes += 1;
  }
  same('the number of changes', changes, 10);
  return { said: `commit ${cid} beside the head, ${changes} changes` };
});

const before = await step('Close it and open it again', async () => {
  const head = await repo.head();
  await repo.close();
  repo = await openRepo(folder);
  same('the head', (await repo.head()).cid, head.cid);
  return { said: 'the head is the same', result: head };
});

const exported = join(out, 'export.car');
await step('Export it', async () => {
  await writeStream(exported, repo.exportCar());
  return { said: `${(await stat(exported)).size} bytes in ${join('out', 'demo', 'export.car')}` };
});

await step('Import the export elsewhere, and compare', async () => {
  const copy = await createRepo(join(out, 'copy'), { did });
  const { head } = await copy.importCar(await readFile(exported));
  const { ok } = await copy.verify();
  await copy.close();
  same('the head', head, before.cid);
  same('the copy is sound', ok, true);
  return { said: `the same head, ${head}, without the drafts` };
});

await step('Make a repository of our own, signed with a key of our own', async () => {
  const key = generateKey();
  const own = await createRepo(join(out, 'own'), { did: 'did:web:own.example.com', signer: key });
  await own.put('app.bsky.feed.post', '3l3qo2vutsw2b', { text: 'Hello', createdAt: new Date().toISOString() });
  const { ok, signature } = await own.verify({ key: key.did() });
  await own.close();
  same('it is sound', ok, true);
  same('the signature', signature, 'valid');
  return { said: 'one post, and the signature is valid' };
});

await step('Look at the history', async () => {
  const lines = [];
  for await (const { rev, message } of repo.log()) {
    lines.push(message === undefined ? rev : `${rev} (${message})`);
  }
  return { said: lines.join(', ') };
});

await repo.close();
console.log('Every step above was checked. The files are in out/demo.');
