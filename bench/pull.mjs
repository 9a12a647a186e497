// node bench/pull.mjs [--records 50000] [--runs 15]: a pull of one new record from a real PDS on this machine, beside the
// host's own responses to the same requests, and a put to the outbox while a pull waits for the host. Needs
// `npm run build` and `npm ci --prefix test/network`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRepo } from '../dist/node.js';
import { openOutbox, pull } from '../dist/sync.js';
import { startNetwork } from '../test/network/harness/start-network.mjs';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '50000' }, runs: { type: 'string', default: '15' } },
});
const [RECORDS, RUNS] = [Number(values.records), Number(values.runs)];
const COLLECTION = 'com.example.note';
/** Most operations of one call of `applyWrites`. */
const BATCH = 200;

const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];
const text = (ms) => `${ms.toFixed(1)} ms`;
const timed = async (run) => {
  const start = performance.now();
  await run();
  return performance.now() - start;
};

const network = await startNetwork({ proxy: true });
const folder = mkdtempSync(join(tmpdir(), 'pdsdb-pull-'));
try {
  const [pds] = network.pds;
  const { did, agent } = await pds.createAccount({ name: 'alice' });
  const note = (i) => ({ $type: COLLECTION, text: `note ${i}`, createdAt: new Date().toISOString() });
  for (let i = 0; i < RECORDS; i += BATCH) {
    const writes = Array.from({ length: Math.min(BATCH, RECORDS - i) }, (_, j) => ({
      $type: 'com.atproto.repo.applyWrites#create',
      collection: COLLECTION,
      rkey: `n${i + j}`,
      value: note(i + j),
    }));
    await agent.com.atproto.repo.applyWrites({ repo: did, writes, validate: false });
  }
  const repo = await createRepo(join(folder, 'copy'), { did });
  const options = { plcUrl: network.plcUrl, allowPrivate: true };
  console.log(`first pull of ${RECORDS} records: ${text(await timed(() => pull(repo, options)))}`);

  const [hosts, pulls] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const since = (await repo.head()).rev;
    await agent.com.atproto.repo.createRecord({
      repo: did,
      collection: COLLECTION,
      record: note(run),
      validate: false,
    });
    hosts.push(
      await timed(async () => {
        const ask = (method, query) => fetch(`${pds.url}/xrpc/com.atproto.sync.${method}?did=${did}${query}`);
        await (await ask('getLatestCommit', '')).arrayBuffer();
        await (await ask('getRepo', `&since=${since}`)).arrayBuffer();
      }),
    );
    pulls.push(await timed(() => pull(repo, options)));
  }
  console.log(
    `a pull of one new record, ${RUNS} runs: median ${text(median(pulls))}, most ${text(Math.max(...pulls))}`,
  );
  console.log(`the host's two responses: median ${text(median(hosts))}, most ${text(Math.max(...hosts))}`);

  const outbox = openOutbox(repo);
  await agent.com.atproto.repo.createRecord({ repo: did, collection: COLLECTION, record: note(0), validate: false });
  pds.faults.next({ match: /getRepo/, delay: 5000 });
  let isWaiting = true;
  const waiting = pull(repo, options).finally(() => {
    isWaiting = false;
  });
  const puts = [];
  for (let i = 0; i < 100; i++) {
    puts.push(await timed(() => outbox.put(COLLECTION, `n${i}`, note(-i))));
  }
  console.log(
    `100 puts to the outbox while a pull waits for the host (${isWaiting ? 'it still waits' : 'it has ended'}): ` +
      `median ${text(median(puts))}, most ${text(Math.max(...puts))}`,
  );
  await waiting;
  await outbox.close();
  await repo.close();
} finally {
  await network.stop();
  rmSync(folder, { recursive: true, force: true });
}
