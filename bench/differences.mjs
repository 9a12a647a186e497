// The cost of differences and events on a large repository in a folder: their import, their export, and following a
// host. Prints medians of 15 of processor time, and of the pages of SQLite that an export reads after an opening.
//   node bench/differences.mjs --size 100000
// Needs `npm run build`. The whole import of the same repository is measured beside them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateKey } from '../dist/index.js';
import { createRepo, openRepo } from '../dist/node.js';
import { pagesReadBy } from './page-reads.mjs';

const { values } = parseArgs({ options: { size: { type: 'string', default: '100000' } } });
const size = Number(values.size);
const RUNS = 15;
const EVENTS = 1000;
const DID = 'did:web:bench.example';
const POST = 'app.bsky.feed.post';

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const processorMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const post = (i) => ({ $type: POST, text: `post ${i}`, createdAt: '2026-01-01T00:00:00Z' });
const rkeyOf = (i) => i.toString(32).padStart(13, '0');
const bytesOf = async (stream) => Buffer.concat(await chunksOf(stream));

const chunksOf = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return chunks;
};

/** Runs work and returns its result, and what it took. */
const timed = async (work) => {
  const start = [processorMs(), performance.now()];
  const result = await work();
  return { result, processor: processorMs() - start[0], wall: performance.now() - start[1] };
};
const show = (name, runs) => {
  const of = (key) => median(runs.map((run) => run[key])).toFixed(1);
  console.log(`${name.padEnd(46)} ${of('processor').padStart(8)} ms of the processor ${of('wall').padStart(8)} ms`);
};

const folder = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
try {
  const key = generateKey('secp256k1');
  const options = { did: DID, signer: key };
  let host = await createRepo(join(folder, 'host'), options);
  const creates = Array.from({ length: size }, (_, i) => ({
    action: 'create',
    collection: POST,
    rkey: rkeyOf(i * 7),
    value: post(i),
  }));
  await host.write(creates);
  const whole = await bytesOf(host.exportCar());
  const copy = await createRepo(join(folder, 'copy'), { did: DID });
  const first = await timed(() => copy.importCar(whole, { key: key.did() }));
  show(`import of all ${size} records`, [first]);

  let number = 0;
  /** One commit of so many changes somewhere in the tree. */
  const change = async (count) => {
    const { rev } = await host.head();
    await host.write(
      Array.from({ length: count }, () => {
        const i = (number++ * 7919) % size;
        return { action: 'update', collection: POST, rkey: rkeyOf(i * 7), value: post(`changed ${number}`) };
      }),
    );
    return rev;
  };

  for (const count of [1, 10]) {
    const exports = [];
    const imports = [];
    for (let i = 0; i < RUNS; i++) {
      const since = await change(count);
      const exported = await timed(() => bytesOf(host.exportCar({ since })));
      exports.push(exported);
      imports.push(await timed(() => copy.importCar(exported.result, { key: key.did() })));
    }
    show(`exportCar({ since }) of ${count} changes`, exports);
    show(`importCar of that difference`, imports);
  }

  const pages = [];
  for (let i = 0; i < RUNS; i++) {
    const since = await change(10);
    await host.close();
    host = await openRepo(join(folder, 'host'), { signer: key });
    let difference;
    pages.push(
      await pagesReadBy(async () => {
        difference = await bytesOf(host.exportCar({ since }));
      }),
    );
    await copy.importCar(difference, { key: key.did() });
  }
  const [least, most] = [Math.min(...pages), Math.max(...pages)];
  console.log(`pages that exportCar of 10 changes reads first:  ${median(pages)} (${least} to ${most})`);

  const made = [];
  const applied = [];
  for (let i = 0; i < EVENTS; i++) {
    await change(1);
    const event = await timed(() => host.commitEvent());
    made.push(event);
    applied.push(await timed(() => copy.applyEvent(event.result, { key: key.did() })));
    if (applied.at(-1).result.outcome !== 'applied') {
      throw new Error(applied.at(-1).result.reason);
    }
  }
  show('commitEvent of 1 change', made);
  show('applyEvent of it, durable', applied);
  const sum = applied.reduce((total, { wall }) => total + wall, 0);
  console.log(`${EVENTS} events, durable one by one: ${(sum / 1000).toFixed(2)} s`);
  await host.close();
  await copy.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
