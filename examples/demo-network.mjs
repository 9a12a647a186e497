/**
 * A tour of `pdsdb/sync` with a real Bluesky PDS, which it starts on this machine: `npm run demo:network`. Two devices
 * have copies of one account. No other network is used. It writes its files to `out/demo-network`.
 */
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openOrCreateRepo } from 'pdsdb/node';
import { clone, follow, openOutbox, passwordSession, pull, resolveAccount, status } from 'pdsdb/sync';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'out', 'demo-network');
// The packages of the PDS are in test/network.
const harness = join(root, 'test', 'network', 'harness');
const { startNetwork } = await import(join(harness, 'start-network.mjs'));
const { createDriver } = await import(join(harness, 'driver.mjs'));
const { WebSocket } = createRequire(join(harness, 'start-network.mjs'))('ws');

const NOTE = 'com.example.note';
const text = (value) => ({ $type: NOTE, text: value, createdAt: new Date().toISOString() });

let number = 0;
/** Runs one step, and prints its result and its duration. */
const step = async (title, run) => {
  const start = performance.now();
  const { said, result } = await run();
  number += 1;
  const took = Math.round(performance.now() - start);
  console.log(`${String(number).padStart(2)}. ${title}\n    ${said}  (${took} ms)`);
  return result;
};
const same = (what, a, b) => {
  if (String(a) !== String(b)) {
    throw new Error(`${what}: ${a} is not ${b}`);
  }
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const network = await step('Start a PDS and a PLC directory', async () => {
  const result = await startNetwork();
  return { said: `${result.pds[0].url}, ${result.plcUrl}`, result };
});
const [pds] = network.pds;
const hosts = { pdsUrl: pds.url, plcUrl: network.plcUrl, allowPrivate: true };
const hosted = await pds.createAccount({ name: 'alice' });
const driver = await createDriver(hosted, { seed: 1 }).run(100);

await step('Look the account up', async () => {
  const { did, handle, handleVerified, pds: host } = await resolveAccount(hosted.handle, hosts);
  return { said: `${handle} is ${did}${handleVerified ? ', verified' : ''}, at ${host}` };
});

const phone = await step('Clone it', async () => {
  const create = ({ did }) => openOrCreateRepo(join(out, 'phone'), { did });
  const { repo, pulled } = await clone(hosted.handle, create, hosts);
  same('the head', (await repo.head()).cid, driver.head.cid);
  return { said: `${pulled.created} records, ${pulled.blobs.fetched} blobs, verified`, result: repo };
});

await step('Pull what has changed since', async () => {
  await driver.run(20);
  const { status: state, created, updated, deleted } = await pull(phone, hosts);
  same('the head', (await phone.head()).cid, driver.head.cid);
  return { said: `${state}: ${created} created, ${updated} updated, ${deleted} deleted` };
});

await step('Follow the events of the host', async () => {
  const following = follow(phone, { ...hosts, WebSocket });
  let events = 0;
  for await (const update of following) {
    if (update.type === 'state' && update.state === 'live') {
      await driver.run(10);
    } else if (update.type === 'change') {
      events += 1;
    }
    if ((await phone.head()).cid.toString() === driver.head.cid && events > 0) {
      break;
    }
  }
  same('the head', (await phone.head()).cid, driver.head.cid);
  return { said: `${events} commits, each verified and applied as it happened` };
});

const laptop = await openOrCreateRepo(join(out, 'laptop'), { did: hosted.did });
await pull(laptop, hosts);
const session = passwordSession({ ...hosts, service: pds.url, identifier: hosted.handle, password: hosted.password });
const devices = [phone, laptop].map((repo) => ({ repo, outbox: openOutbox(repo) }));
const [onPhone, onLaptop] = devices;
const push = ({ repo, outbox }) => outbox.push({ session, pull: () => pull(repo, hosts) });

await step('Write on two devices without a network', async () => {
  await onPhone.outbox.put(NOTE, 'shared', text('from the phone'));
  await onLaptop.outbox.put(NOTE, 'shared', text('from the laptop'));
  await onLaptop.outbox.put(NOTE, 'own', text('only on the laptop'));
  const pending = (await Promise.all(devices.map(({ outbox }) => outbox.pending()))).map((list) => list.length);
  return { said: `${pending.join(' and ')} changes wait, each durable` };
});

await step('Push from both', async () => {
  const first = await push(onPhone);
  const second = await push(onLaptop);
  same('conflicts', second.conflicts, `${NOTE}/shared`);
  return { said: `${first.landed.length} and ${second.landed.length} landed, ${second.conflicts.length} conflict` };
});

await step('Resolve the conflict, and push again', async () => {
  await onLaptop.outbox.resolve(`${NOTE}/shared`, text('from both'));
  const { landed } = await push(onLaptop);
  await pull(phone, hosts);
  same('the heads', (await phone.head()).cid, (await laptop.head()).cid);
  const { value } = await phone.get(NOTE, 'shared');
  return { said: `${landed.length} landed; both devices have "${value.text}"` };
});

await step('Compare the copy with its host, and verify it', async () => {
  const { local, host, todo } = await status(phone, hosts);
  const { ok, signature } = await phone.verify({ key: (await pds.signingKey(hosted.did)).did() });
  same('the verdict', ok, true);
  return { said: `${host.state}, ${local.records} records, ${todo.length} things to do, signature ${signature}` };
});

for (const { repo, outbox } of devices) {
  await outbox.close();
  await repo.close();
}
await network.stop();
console.log(`\nThe copies are in ${out}`);
