// A front of the PLC directory.
import http from 'node:http';
import { Readable } from 'node:stream';

/** The public directory writes Multikey, its package on npm does not. This server rewrites `GET /:did`. */
export function multikeyFront(plcPort) {
  const server = http.createServer(async (req, res) => {
    const url = decodeURIComponent(req.url); // Some resolvers send did%3Aplc%3A….
    const body = req.method === 'GET' ? undefined : await new Response(Readable.toWeb(req)).arrayBuffer();
    const headers = { 'content-type': req.headers['content-type'] ?? 'application/json' };
    const response = await fetch(`http://127.0.0.1:${plcPort}${url}`, { method: req.method, body, headers });
    let text = await response.text();
    if (req.method === 'GET' && response.ok && /^\/did:plc:\w+$/.test(url)) {
      const doc = JSON.parse(text);
      const data = await (await fetch(`http://127.0.0.1:${plcPort}${url}/data`)).json();
      doc['@context'] = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];
      for (const method of doc.verificationMethod) {
        const key = data.verificationMethods[method.id.split('#')[1]].slice('did:key:'.length);
        Object.assign(method, {
          id: `${doc.id}#${method.id.split('#')[1]}`,
          type: 'Multikey',
          publicKeyMultibase: key,
        });
      }
      text = JSON.stringify(doc);
    }
    res
      .writeHead(response.status, {
        'content-type': response.headers.get('content-type') ?? 'text/plain',
        'access-control-allow-origin': '*',
      })
      .end(text);
  });
  server.listenAnywhere = () => new Promise((ready) => server.listen(0, () => ready(server.address().port)));
  return server;
}
