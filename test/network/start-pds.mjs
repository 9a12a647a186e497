/** A real Bluesky PDS and a PLC directory in this process, on loopback only. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

process.env.LOG_ENABLED ??= 'false';
// Both servers call listen(port), which binds every interface.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const isPort = typeof port === 'number' && typeof rest[0] !== 'string';
  return isPort ? listen.call(this, port, '127.0.0.1', ...rest) : listen.call(this, port, ...rest);
};
const { PlcServer, Database } = await import('@did-plc/server');
const { PDS, envToCfg, envToSecrets } = await import('@atproto/pds');

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** Calls an XRPC method, and returns its JSON, or its bytes if it has no JSON. */
const call = async (url, { method, params = {}, body, type = 'application/json', token }) => {
  const response = await fetch(`${url}/xrpc/${method}?${new URLSearchParams(params)}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${method}: ${response.status} ${await response.text()}`);
  }
  return response.headers.get('content-type')?.startsWith('application/json')
    ? response.json()
    : new Uint8Array(await response.arrayBuffer());
};

/** Starts both. The data is in a new temporary folder, which `remove` deletes. */
export const startPds = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-pds-'));
  const [plcPort, port] = [await freePort(), await freePort()];
  const plc = PlcServer.create({ db: Database.mock(), port: plcPort });
  await plc.start();
  const dataDirectory = join(folder, 'data');
  mkdirSync(dataDirectory);
  const blobs = join(folder, 'blobs');
  const settings = {
    devMode: true,
    port,
    hostname: 'localhost',
    serviceDid: `did:web:localhost%3A${port}`,
    dataDirectory,
    serviceHandleDomains: ['.pds.test'],
    blobstoreDiskLocation: blobs,
    blobstoreDiskTmpLocation: join(folder, 'blobs-tmp'),
    didPlcUrl: `http://localhost:${plcPort}`,
    adminPassword: 'admin',
    jwtSecret: 'secret-of-the-test',
    dpopSecret: 'a'.repeat(64),
    plcRotationKeyK256PrivateKeyHex: createHash('sha256').update('rotation').digest('hex'),
    inviteRequired: false,
    bskyAppViewUrl: 'https://appview.invalid',
    bskyAppViewDid: 'did:web:appview.invalid',
    disableSsrfProtection: true,
    rateLimitsEnabled: false,
  };
  const pds = await PDS.create(envToCfg(settings), envToSecrets(settings));
  await pds.start();
  let isRunning = true;
  const stop = async () => {
    if (isRunning) {
      isRunning = false;
      await pds.destroy();
      await plc.destroy();
    }
  };
  const url = `http://localhost:${port}`;
  return {
    blobs,
    /** Makes an account, and returns its DID, the path of its database, and a function that calls methods. */
    async createAccount(name) {
      const account = { handle: `${name}.pds.test`, email: `${name}@pds.test`, password: 'password' };
      const created = await call(url, { method: 'com.atproto.server.createAccount', body: account });
      return {
        did: created.did,
        key: (await pds.ctx.actorStore.keypair(created.did)).did(),
        store: (await pds.ctx.actorStore.getLocation(created.did)).dbLocation,
        call: (method, options = {}) => call(url, { method, token: created.accessJwt, ...options }),
      };
    },
    stop,
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
