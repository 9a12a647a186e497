// An HTTP and WebSocket proxy on loopback that fails on demand: `faults.next({ match: /getRepo/, cutAfter: 1000 })`.
//
// A rule applies to the next request that matches, or to the next `times` requests:
// - status, headers, body: the response; the server never sees the request
// - delay: milliseconds before the request is passed on
// - cutAfter: bytes of the body, then the connection breaks
// - endAfter: bytes of the body, then a clean end
// - loseResponse: the server does its work, and its response is lost
// - refuse: the connection is closed at once
// - edit: changes the body, as a function of a Buffer
// - stall: milliseconds without a byte after half of the body
// - cutFrames: bytes of a WebSocket from the server, then the connection breaks
// - holdFrames: nothing from the server is read after the WebSocket has opened, until `release`
import http from 'node:http';
import net from 'node:net';

export async function startFaultProxy(targetPort) {
  let rules = [];
  const log = [];
  const sockets = new Set();
  const held = new Set();
  const take = (req) => {
    const index = rules.findIndex(
      ({ match, method }) => (!match || match.test(req.url)) && (!method || method === req.method),
    );
    if (index < 0) return {};
    return --rules[index].times > 0 ? rules[index] : rules.splice(index, 1)[0];
  };
  const server = http.createServer(async (req, res) => {
    const rule = take(req);
    log.push({ method: req.method, url: req.url, rule: Object.keys(rule).length > 0 });
    if (rule.refuse) return void req.socket.destroy();
    if (rule.delay) await new Promise((done) => setTimeout(done, rule.delay));
    if (rule.status) {
      req.resume();
      res.writeHead(rule.status, {
        'content-type': 'application/json',
        'access-control-allow-origin': '*',
        ...rule.headers,
      });
      return void res.end(
        typeof rule.body === 'string'
          ? rule.body
          : JSON.stringify(rule.body ?? { error: 'Fault', message: 'injected' }),
      );
    }
    const headers = { ...req.headers };
    if (rule.edit || rule.endAfter !== undefined || rule.cutAfter !== undefined)
      headers['accept-encoding'] = 'identity';
    const upstream = http.request(
      { host: '127.0.0.1', port: targetPort, method: req.method, path: req.url, headers, agent: false },
      (response) => {
        if (rule.loseResponse) return void response.resume().on('end', () => req.socket.destroy());
        if (rule.edit) {
          const chunks = [];
          return void response
            .on('data', (chunk) => chunks.push(chunk))
            .on('end', () => {
              const body = rule.edit(Buffer.concat(chunks));
              const { 'transfer-encoding': _, ...kept } = response.headers;
              res.writeHead(response.statusCode, { ...kept, 'content-length': body.length });
              res.end(body);
            });
        }
        const limit = rule.cutAfter ?? rule.endAfter ?? Infinity;
        const kept = { ...response.headers };
        if (limit !== Infinity || rule.stall) delete kept['content-length'];
        res.writeHead(response.statusCode, kept);
        const die = (ms) => setTimeout(() => req.socket.destroy(), ms);
        let [sent, over] = [0, false];
        const send = (chunk) => {
          if (over) return;
          const part = chunk.subarray(0, rule.stall ? Math.ceil(chunk.length / 2) : limit - sent);
          sent += part.length;
          if (part.length > 0) res.write(part);
          over = Boolean(rule.stall) || sent >= limit;
          if (over && rule.endAfter !== undefined) res.end();
          else if (over) die(rule.stall ?? 20);
        };
        response.on('data', send).on('end', () => {
          if (!over) res.end();
        });
      },
    );
    upstream.on('error', () => req.socket.destroy());
    req.on('aborted', () => upstream.destroy());
    req.pipe(upstream);
  });
  // Clients close idle connections first. Otherwise a request may arrive just when the proxy closes its connection.
  server.keepAliveTimeout = 0;
  server.on('upgrade', (req, client, head) => {
    const rule = take(req);
    log.push({ method: 'WS', url: req.url, rule: Object.keys(rule).length > 0 });
    if (rule.refuse) return void client.destroy();
    const upstream = net.connect(targetPort, '127.0.0.1', () => {
      const lines = [`${req.method} ${req.url} HTTP/1.1`];
      for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      let left = rule.cutFrames ?? Infinity;
      upstream.on('data', (chunk) => {
        client.write(chunk.subarray(0, left));
        if ((left -= chunk.length) <= 0) [client, upstream].forEach((socket) => socket.destroy());
      });
      if (rule.holdFrames) {
        upstream.once('data', () => held.add(upstream.pause()));
      }
      client.pipe(upstream);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  server.on('connection', (socket) => sockets.add(socket) && socket.on('close', () => sockets.delete(socket)));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: server.address().port,
    /** All requests so far: { method, url, rule }. */
    log,
    next: (rule) => void rules.push({ times: 1, ...rule }),
    clear: () => void (rules = []),
    /** Reads again what `holdFrames` has stopped. */
    release: () => held.forEach((upstream) => held.delete(upstream.resume())),
    /** Breaks all connections, also those of the firehose. */
    dropAll: () => sockets.forEach((socket) => socket.destroy()),
    close: () => (sockets.forEach((socket) => socket.destroy()), new Promise((done) => server.close(done))),
  };
}
