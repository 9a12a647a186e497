// Real Bluesky PDSs and one PLC directory in memory, in this process and on loopback only.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './loopback.mjs';
import { multikeyFront } from './plc-front.mjs';
import { startPds } from './start-pds.mjs';

process.env.LOG_ENABLED ??= 'false';
const plcServer = await import('@did-plc/server');

/**
 * @param {object} [options]
 * @param {number} [options.pds] The number of servers. Default: 1.
 * @param {string} [options.dir] Where their data is. Default: a new temporary folder, which `stop` removes.
 * @param {boolean} [options.rateLimits] Whether the servers limit rates. Default: false.
 * @param {boolean} [options.proxy] Whether DID documents name a fault proxy before each PDS, which is `pds.faults`.
 * @param {boolean} [options.legacyKeys] Whether DID documents have EcdsaSecp256k1VerificationKey2019.
 * @param {object} [options.env] More settings of each PDS, such as `blobUploadLimit`.
 */
export async function startNetwork({
  pds: count = 1,
  dir,
  rateLimits = false,
  proxy = false,
  legacyKeys = false,
  env = {},
} = {}) {
  const temporary = dir === undefined;
  const root = dir ?? mkdtempSync(path.join(os.tmpdir(), 'pds-net-'));
  const plcPort = await freePort();
  const plc = plcServer.PlcServer.create({ db: plcServer.Database.mock(), port: plcPort });
  await plc.start();
  const front = multikeyFront(plcPort);
  const plcUrl = `http://localhost:${legacyKeys ? plcPort : await front.listenAnywhere()}`;
  const servers = [];
  for (let i = 0; i < count; i++) servers.push(await startPds(i, { root, plcUrl, rateLimits, proxy, env }));
  return {
    plcUrl,
    pds: servers,
    /** Returns the DID document, as any client sees it. */
    didDoc: async (did) => (await fetch(`${plcUrl}/${did}`)).json(),
    async stop() {
      for (const server of servers) await server.stop().then(() => server.faults?.close());
      front.closeAllConnections();
      front.close();
      await plc.destroy();
      if (temporary) rmSync(root, { recursive: true, force: true });
    },
  };
}
