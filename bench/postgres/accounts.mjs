// Many accounts of 100 records: the time to make and to list them, their size, and opening one.
import { countingClient, median, openPlaces, SCHEMA, signer, timed } from './place.mjs';
import { createsOf, didOf, POST, recordOf, rkeyOf } from './records.mjs';

const RECORDS = 100;

export const accountsPart = async ({ url, ask, quick, accounts }) => {
  const count = quick ? 50 : accounts;
  const places = await openPlaces(url);
  let next = 0;
  const fill = async () => {
    while (next < count) {
      const account = next++;
      const repo = await places.createRepo({ did: didOf(account), signer });
      await repo.write(createsOf(account, RECORDS));
      await repo.close();
    }
  };
  const made = await timed(() => Promise.all(Array.from({ length: 8 }, fill)));
  console.log(`accounts: ${count} of ${RECORDS} records made in ${(made / 1000).toFixed(1)} s`);
  let listed = 0;
  const listing = await timed(async () => {
    for (let page = await places.listRepos(); page.length > 0; ) {
      listed += page.length;
      page = await places.listRepos({ after: page.at(-1).did });
    }
  });
  console.log(`accounts: ${listed} listed in ${listing.toFixed(0)} ms`);
  await ask('vacuum analyze');
  const [[size, blocks]] = await ask(
    `select sum(pg_total_relation_size(c.oid))::text, (select count(*)::text from ${SCHEMA}.blocks)
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where n.nspname = '${SCHEMA}' and c.relkind = 'r'`,
  );
  console.log(
    `size: ${(size / 2 ** 20).toFixed(1)} MiB, ${blocks} blocks, ${(size / blocks).toFixed(0)} bytes a block`,
  );
  for (const [table, heap, indexes] of await ask(
    `select relname, pg_table_size(relid)::text, pg_indexes_size(relid)::text from pg_stat_user_tables
    where schemaname = '${SCHEMA}' order by pg_table_size(relid) desc`,
  )) {
    console.log(
      `size: ${table.padEnd(12)} ${(heap / 2 ** 20).toFixed(1)} MiB, indexes ${(indexes / 2 ** 20).toFixed(1)} MiB`,
    );
  }
  await places.close();

  const counted = countingClient(url);
  const again = await openPlaces(url, counted.client);
  await again.listRepos({ limit: 1 });
  const opens = [];
  counted.trips = 0;
  const SAMPLE = quick ? 10 : 300;
  for (let i = 0; i < SAMPLE; i++) {
    opens.push(
      await timed(async () => {
        const repo = await again.openRepo(didOf((i * 7919) % count), { signer });
        await repo.get(POST, rkeyOf(48));
        await repo.close();
      }),
    );
  }
  const trips = (counted.trips / SAMPLE).toFixed(1);
  console.log(`open: an account, read a record, close: median ${median(opens).toFixed(2)} ms, ${trips} round trips`);

  const COMMITTERS = Math.min(32, count);
  const open = await Promise.all(Array.from({ length: COMMITTERS }, (_, i) => again.openRepo(didOf(i), { signer })));
  const EACH = quick ? 3 : 20;
  const all = await timed(() =>
    Promise.all(
      open.map(async (repo) => {
        for (let i = 0; i < EACH; i++) {
          await repo.put(POST, `many${i}`, recordOf(0, 4));
        }
      }),
    ),
  );
  console.log(
    `commits: of ${COMMITTERS} accounts at once, one process: ${((COMMITTERS * EACH) / (all / 1000)).toFixed(0)} a second`,
  );
  await again.close();
};
