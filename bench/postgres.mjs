// PostgreSQL beside SQLite, with durable commits in both.
//   node bench/postgres.mjs --only beside,latency --pairs 9
//   node bench/postgres.mjs --url postgres://user@localhost/scratch --accounts 10000
// Needs `npm run build`, `npm ci --prefix test/postgres` and, without `--url`, the programs of PostgreSQL: then it starts
// a server of its own. Uses and drops the schema `pdsdb_bench`. `--quick` is a small run of each part, for tests.
import { parseArgs } from 'node:util';
import { accountsPart } from './postgres/accounts.mjs';
import { besidePart } from './postgres/beside.mjs';
import { hostPart } from './postgres/host.mjs';
import { latencyPart } from './postgres/latency.mjs';
import { openPlaces, pg, SCHEMA, startServer } from './postgres/place.mjs';

const PARTS = { beside: besidePart, latency: latencyPart, host: hostPart, accounts: accountsPart };

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    accounts: { type: 'string', default: '10000' },
    pairs: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const parts = values.only.split(',');
const unknown = parts.find((part) => !(part in PARTS));
if (unknown !== undefined) {
  throw new Error(`--only has parts of ${Object.keys(PARTS).join(', ')}; part=${unknown}`);
}

const server = values.url === undefined ? await startServer() : undefined;
const url = values.url ?? server.url;
const admin = new pg.Client({ connectionString: url });
await admin.connect();
const ask = async (text) => (await admin.query({ text, rowMode: 'array' })).rows;
try {
  const settings = [];
  for (const name of ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers']) {
    settings.push(`${name}=${(await ask(`show ${name}`))[0][0]}`);
  }
  console.log(settings.join(' '));
  if (!settings.includes('fsync=on') || !settings.includes('synchronous_commit=on')) {
    throw new Error('the server is not durable: set fsync and synchronous_commit to on');
  }
  await ask(`drop schema if exists ${SCHEMA} cascade`);
  const places = await openPlaces(url);
  await places.migrate();
  await places.close();
  const options = {
    url,
    ask,
    quick: values.quick,
    accounts: Number(values.accounts),
    pairs: Number(values.pairs),
  };
  for (const part of parts) {
    await PARTS[part](options);
  }
  if (!values.keep) {
    await ask(`drop schema ${SCHEMA} cascade`);
  }
} finally {
  await admin.end();
  await server?.stop();
}
