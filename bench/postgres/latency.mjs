// Operations through a proxy that delays each direction, so that a round trip takes 3 ms.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { countingClient, median, openPlaces, signer, timed } from './place.mjs';
import { createsOf, didOf, POST, recordOf, rkeyOf } from './records.mjs';

export const ROUND_TRIP_MS = 3;

/** Passes the bytes of one direction on, each chunk after the delay. */
const delay = async (from, to, ms) => {
  let last = Promise.resolve();
  from.on('data', (chunk) => {
    const due = performance.now() + ms;
    last = last.then(async () => {
      // A timer ends up to a millisecond late, and the loop of events has no finer one.
      const left = due - performance.now();
      await (left > 0 ? pause(left) : undefined);
      to.write(chunk);
    });
  });
  from.on('close', () => void last.then(() => to.destroy()));
  from.on('error', () => to.destroy());
};

/** Starts a proxy to a server. */
const startProxy = async (port, ms) => {
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.add(client).add(upstream);
    delay(client, upstream, ms);
    delay(upstream, client, ms);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
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
  await far.listRepos({ limit: 1 });
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
