// Many accounts in one PostgreSQL database: the size, opening an account and reading a record, commits of one and of
// many accounts, and an export.
//   node bench/postgres.mjs --url postgres://user@localhost/scratch --accounts 1000
// Needs `npm run build`, `npm ci --prefix test/postgres` and a server. Uses and drops the schema `pdsdb_bench`.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { importKey } from '../dist/index.js';
import { openPostgres, pgClient } from '../dist/postgres.js';

const { values } = parseArgs({
  options: { url: { type: 'string' }, accounts: { type: 'string', default: '1000' }, keep: { type: 'boolean' } },
});
const accounts = Number(values.accounts);
const RECORDS = 100;
const POST = 'app.bsky.feed.post';
const LIKE = 'app.bsky.feed.like';
const SCHEMA = 'pdsdb_bench';

const pg = createRequire(new URL('../test/postgres/package.json', import.meta.url))('pg');
const signer = importKey('11'.repeat(32), 'secp256k1');
const connect = () =>
  openPostgres(pgClient(pg, { connectionString: values.url, readers: 8, writers: 8 }), { schema: SCHEMA });
const admin = new pg.Client({ connectionString: values.url });
const ask = async (text) => (await admin.query({ text, rowMode: 'array' })).rows;

const didOf = (i) => `did:plc:${[...String(i).padStart(24, '0')].map((digit) => 'abcdefghij'[digit]).join('')}`;
const rkeyOf = (i) => `3k${String(i).padStart(11, '0')}`;
const createdAt = '2026-01-01T00:00:00.000Z';
const recordOf = (account, i) =>
  i % 4 === 0
    ? { $type: POST, text: `Post ${i} of account ${account}, as long as most posts are.`, createdAt, langs: ['en'] }
    : {
        $type: LIKE,
        subject: {
          uri: `at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/${rkeyOf(i)}`,
          cid: 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a',
        },
        createdAt,
      };

const quantile = (numbers, q) => numbers.toSorted((a, b) => a - b)[Math.floor(q * (numbers.length - 1))];
const show = (name, times) =>
  console.log(
    `${name.padEnd(44)} median ${quantile(times, 0.5).toFixed(2)} ms, 99 % ${quantile(times, 0.99).toFixed(2)} ms`,
  );
const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

await admin.connect();
await admin.query(`drop schema if exists ${SCHEMA} cascade`);
let places = await connect();
await places.migrate();

const start = performance.now();
let next = 0;
const fill = async () => {
  while (next < accounts) {
    const account = next++;
    const repo = await places.createRepo({ did: didOf(account), signer });
    await repo.write(
      Array.from({ length: RECORDS }, (_, i) => ({
        action: 'create',
        collection: i % 4 === 0 ? POST : LIKE,
        rkey: rkeyOf(i),
        value: recordOf(account, i),
      })),
    );
    await repo.close();
  }
};
await Promise.all(Array.from({ length: 8 }, fill));
console.log(`${accounts} accounts of ${RECORDS} records made in ${((performance.now() - start) / 1000).toFixed(1)} s`);
await admin.query('vacuum analyze');
const [[size, blocks]] = await ask(
  `select sum(pg_total_relation_size(c.oid))::text, (select count(*)::text from ${SCHEMA}.blocks)
  from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where n.nspname = '${SCHEMA}' and c.relkind = 'r'`,
);
console.log(`${(size / 2 ** 20).toFixed(1)} MiB, ${blocks} blocks, ${(size / blocks).toFixed(0)} bytes a block`);
for (const [table, heap, indexes] of await ask(
  `select relname, pg_table_size(relid)::text, pg_indexes_size(relid)::text from pg_stat_user_tables
  where schemaname = '${SCHEMA}' order by 2 desc`,
)) {
  console.log(
    `  ${table.padEnd(12)} ${(heap / 2 ** 20).toFixed(1)} MiB, indexes ${(indexes / 2 ** 20).toFixed(1)} MiB`,
  );
}
await places.close();

places = await connect();
const SAMPLE = Math.min(accounts, 300);
const spread = (i) => Math.floor((i * 7919) % accounts);
const opens = [];
for (let i = 0; i < SAMPLE; i++) {
  opens.push(
    await timed(async () => {
      const repo = await places.openRepo(didOf(spread(i)), { signer });
      await repo.get(POST, rkeyOf(48));
      await repo.close();
    }),
  );
}
show('open an account, read a record, close', opens);

const one = await places.openRepo(didOf(0), { signer });
const commits = [];
for (let i = 0; i < 300; i++) {
  commits.push(await timed(() => one.put(POST, `one${i}`, recordOf(0, 4))));
}
show('a commit, one after the other', commits);

const COMMITTERS = 32;
const open = await Promise.all(Array.from({ length: COMMITTERS }, (_, i) => places.openRepo(didOf(i + 1), { signer })));
const all = await timed(() =>
  Promise.all(
    open.map(async (repo) => {
      for (let i = 0; i < 20; i++) {
        await repo.put(POST, `many${i}`, recordOf(0, 4));
      }
    }),
  ),
);
console.log(`commits of ${COMMITTERS} accounts at once: ${((COMMITTERS * 20) / (all / 1000)).toFixed(0)} a second`);

const exports = [];
for (let i = 0; i < 50; i++) {
  const repo = await places.openRepo(didOf(spread(i)));
  exports.push(await timed(() => new Response(repo.exportCar()).arrayBuffer()));
  await repo.close();
}
show(`export ${RECORDS} records`, exports);

await places.close();
if (!values.keep) {
  await admin.query(`drop schema ${SCHEMA} cascade`);
}
await admin.end();
