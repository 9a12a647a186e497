// A proxy to a port of this machine that delays each direction: `node proxy.mjs <port> <milliseconds>`. Sends its own port
// to the process that has forked it.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

const [port, ms] = process.argv.slice(2).map(Number);

/** Passes the bytes of one direction on, each chunk after the delay. */
const delay = (from, to) => {
  let last = Promise.resolve();
  from.on('data', (chunk) => {
    const due = performance.now() + ms;
    last = last.then(async () => {
      // A timer may end a millisecond late, so the last two milliseconds pass without one.
      for (let left = ms; left > 0; left = due - performance.now()) {
        await (left > 2 ? pause(1) : nextTurn());
      }
      to.write(chunk);
    });
  });
  from.on('close', () => void last.then(() => to.destroy()));
  from.on('error', () => to.destroy());
};

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
  delay(client, upstream);
  delay(upstream, client);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
process.send(server.address().port);
