// One real Bluesky PDS.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { startFaultProxy } from './fault-proxy.mjs';
import { freePort } from './loopback.mjs';

process.env.LOG_ENABLED ??= 'false';
const { PDS, envToCfg, envToSecrets } = await import('@atproto/pds');
const { AtpAgent } = await import('@atproto/api');

/** Starts a PDS. `proxy` puts a fault proxy before it. */
export async function startPds(index, { root, plcUrl, rateLimits, proxy, env }) {
  const dir = path.join(root, `pds${index}`);
  fs.mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const directUrl = `http://localhost:${port}`;
  const faults = proxy ? await startFaultProxy(port) : undefined;
  const url = faults ? `http://localhost:${faults.port}` : directUrl;
  const settings = {
    devMode: true,
    port,
    hostname: 'localhost',
    serviceDid: `did:web:localhost%3A${port}`,
    dataDirectory: dir,
    serviceHandleDomains: [`.pds${index}.test`],
    blobstoreDiskLocation: path.join(dir, 'blobs'),
    didPlcUrl: plcUrl,
    blobstoreDiskTmpLocation: path.join(dir, 'blobs-tmp'), // The default is one folder for all PDSs of a machine.
    adminPassword: 'admin',
    jwtSecret: `jwt-secret-of-pds-number-${index}`,
    dpopSecret: 'a'.repeat(64),
    plcRotationKeyK256PrivateKeyHex: createHash('sha256').update(`rotation${index}`).digest('hex'),
    inviteRequired: false,
    bskyAppViewUrl: 'https://appview.invalid',
    bskyAppViewDid: 'did:web:appview.invalid',
    disableSsrfProtection: true,
    rateLimitsEnabled: rateLimits,
    ...env,
  };
  let [running, accounts] = [undefined, 0];
  const mails = [];
  const start = async () => {
    const cfg = envToCfg(settings);
    cfg.service.publicUrl = url;
    running = await PDS.create(cfg, envToSecrets(settings));
    // There is no SMTP: each mail is kept, with its token.
    running.ctx.mailer.sendTemplate = async (template, params, mail) =>
      void mails.push({ template, ...params, to: mail.to });
    await running.start();
  };
  await start();
  const location = (did) => running.ctx.actorStore.getLocation(did);
  const server = {
    url,
    directUrl,
    dir,
    faults,
    mails,
    did: settings.serviceDid,
    wsUrl: `${url.replace('http', 'ws')}/xrpc/com.atproto.sync.subscribeRepos`,
    /** The PDS's own objects: sequencer, accountManager, actorStore. */
    get ctx() {
      return running.ctx;
    },
    agent: (options = {}) => new AtpAgent({ service: url, ...options }),
    /** Makes an account with a session. With a DID and a token, an account that moves here, deactivated. */
    async createAccount({ name = `user${accounts++}`, did, token, ...more } = {}) {
      const account = {
        handle: `${name}.pds${index}.test`,
        password: 'password',
        email: `${name}@pds${index}.test`,
        ...more,
      };
      const agent = server.agent();
      const headers = token ? { authorization: `Bearer ${token}` } : undefined;
      const { data } = await agent.com.atproto.server.createAccount(
        { ...account, did },
        { headers, encoding: 'application/json' },
      );
      await agent.resumeSession({ ...data, active: true });
      return { ...account, did: data.did, agent, server };
    },
    login: async (identifier, password = 'password') => {
      const agent = server.agent();
      await agent.login({ identifier, password });
      return agent;
    },
    /** Returns the token of the newest mail to an address. */
    lastToken: (to) => mails.findLast((mail) => mail.to === to && mail.token)?.token,
    /** Takes an account down, as an operator does, or ends it with `false`. */
    takedown: (did, applied = true) =>
      server.admin('com.atproto.admin.updateSubjectStatus', {
        subject: { $type: 'com.atproto.admin.defs#repoRef', did },
        takedown: { applied, ref: 'test' },
      }),
    async admin(method, body) {
      const response = await fetch(`${directUrl}/xrpc/${method}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('admin:admin')}` },
      });
      if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
      return response.headers.get('content-length') === '0' ? undefined : response.json().catch(() => undefined);
    },
    /** Returns the path of the account's store.sqlite. */
    storePath: async (did) => (await location(did)).dbLocation,
    signingKey: async (did) => running.ctx.actorStore.keypair(did),
    /** Replaces the signing key, as the script of the PDS does: a new key, #identity, an empty commit, #sync. */
    async rotateKey(did) {
      const { Secp256k1Keypair } = await import('@atproto/crypto');
      const key = await Secp256k1Keypair.create({ exportable: true });
      fs.writeFileSync((await location(did)).keyLocation, await key.export());
      await running.ctx.plcClient.updateAtprotoKey(did, running.ctx.plcRotationKey, key.did());
      await running.ctx.idResolver.did.resolve(did, true);
      await running.ctx.sequencer.sequenceIdentityEvt(did);
      const commit = await running.ctx.actorStore.transact(did, (store) => store.repo.processWrites([]));
      await running.ctx.accountManager.updateRepoRoot(did, commit.cid, commit.rev);
      await running.ctx.sequencer.sequenceCommit(did, commit);
      return key;
    },
    /** Makes each event so far older by `ms`, for OutdatedCursor. */
    async ageEvents(ms) {
      const { db } = running.ctx.sequencer.db;
      const events = await db.selectFrom('repo_seq').select(['seq', 'sequencedAt']).execute();
      const aged = (at) => new Date(Date.parse(at) - ms).toISOString();
      for (const { seq, sequencedAt } of events)
        await db
          .updateTable('repo_seq')
          .set({ sequencedAt: aged(sequencedAt) })
          .where('seq', '=', seq)
          .execute();
    },
    async stop() {
      faults?.dropAll();
      await running?.destroy();
      running = undefined;
    },
    /** Stops and starts it with the same data and port. `whileDown` runs between. */
    async restart(whileDown) {
      await server.stop();
      await new Promise((done) => setTimeout(done, 100)); // Clients of this process then see their sockets closed.
      await whileDown?.();
      await start();
    },
  };
  return server;
}
