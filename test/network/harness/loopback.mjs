// Servers that call listen(port) bind every interface. This import makes them bind loopback only.
import net from 'node:net';

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const isPort = typeof port === 'number' && typeof rest[0] !== 'string';
  return isPort ? listen.call(this, port, '127.0.0.1', ...rest) : listen.call(this, port, ...rest);
};

/** Systems give ports from 32,768 on to connections. Each worker of the tests has ports of its own below. */
const FIRST = 20_000;
const PER_WORKER = 500;
let next = FIRST + PER_WORKER * (Number(process.env.VITEST_POOL_ID ?? 0) % 20);

const isFree = (port) =>
  new Promise((resolve) => {
    const probe = net.createServer().on('error', () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });

/** Returns a port that no server uses, and that nobody else is about to use. */
export const freePort = async () => {
  for (;;) {
    const port = next++;
    if (await isFree(port)) {
      return port;
    }
  }
};
