// Operations through a proxy that delays each direction, so that a round trip takes 3 ms.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { countingClient, median, openPlaces, signer, timed } from './place.mjs';
import { createsOf, didOf, POST, recordOf, rkeyOf } from './records.mjs';

const ROUND_TRIP_MS = 3;

/** Starts the proxy in a process of its own, so that work of this one does not delay its timers. */
const startProxy = async (port, ms) => {
  const child = fork(fileURLToPath(new URL('proxy.mjs', import.meta.url)), [String(port), String(ms)]);
  const [own] = await once(child, 'message');
  return { port: own, close: () => child.kill() };
};

export const latencyPart = async ({ url, quick }) => {
  const direct = new URL(url);
  const proxy = await startProxy(Number(direct.port || 5432), ROUND_TRIP_MS / 2);
  const slow = new URL(url);
  [slow.hostname, slow.port] = ['127.0.0.1', String(proxy.port)];
  const did = didOf(999_999);
  const places = await openPlaces(url);
  const repo = await places.createRepo({ did, signer });
  await repo.write(createsOf(0, quick ? 400 : 8000));
  await repo.close();

  const counted = countingClient(slow.href);
  const far = await openPlaces(slow.href, counted.client);
  // Both pools connect before the measurements. A new connection takes several round trips.
  const warm = await far.openRepo(did, { signer });
  await warm.put(POST, 'warm', recordOf(0, 4));
  await warm.close();
  const asked = [];
  for (let i = 0; i < 20; i++) {
    asked.push(await timed(() => counted.client.query('select 1::text')));
  }
  console.log(`latency: one statement through the proxy: median ${median(asked).toFixed(2)} ms`);
  const measure = async (name, work) => {
    const [times, trips] = [[], []];
    for (let i = 0; i < (quick ? 2 : 15); i++) {
      const open = await far.openRepo(did, { signer });
      counted.trips = 0;
      times.push(await timed(() => work(open, i)));
      trips.push(counted.trips);
      await open.close();
    }
    const time = median(times);
    console.log(
      `latency: ${name.padEnd(12)} median ${time.toFixed(1)} ms = ${(time / ROUND_TRIP_MS).toFixed(1)} round trips of ` +
        `${ROUND_TRIP_MS} ms; ${median(trips)} statements`,
    );
  };
  await measure('put', (open, i) => open.put(POST, `far${i}`, recordOf(0, 4)));
  await measure('cold get', (open) => open.get(POST, rkeyOf(48)));
  await measure('list 1,000', async (open) => {
    let count = 0;
    for await (const _ of open.list(POST)) {
      count += 1;
      if (count === 1000) {
        return;
      }
    }
  });
  await far.close();
  await places.deleteRepo(did);
  await places.close();
  proxy.close();
};
