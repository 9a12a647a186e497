// PostgreSQL beside SQLite, in pairs: import, put, list, export and verify of one account.
import { join } from 'node:path';
import { createRepo } from '../../dist/node.js';
import { makeInput, readInput } from '../input.mjs';
import { countingClient, median, openPlaces, scratch, timed } from './place.mjs';
import { POST, recordOf } from './records.mjs';

const drain = async (items, most = Number.POSITIVE_INFINITY) => {
  let count = 0;
  for await (const _ of items) {
    count += 1;
    if (count === most) {
      return;
    }
  }
};

export const besidePart = async ({ url, quick, pairs }) => {
  const size = quick ? 1000 : 100_000;
  const rounds = quick ? 1 : pairs;
  await makeInput(size);
  const { car, did, key, signer } = readInput(size);
  const bytes = new Blob([car()]);
  const folders = scratch();
  const counted = countingClient(url);
  const places = await openPlaces(url, counted.client);
  const [times, trips] = [{}, {}];
  const measure = async (place, name, work) => {
    counted.trips = 0;
    ((times[name] ??= {})[place] ??= []).push(await timed(work));
    if (place === 'postgres') {
      trips[name] = counted.trips;
    }
  };
  const PUTS = quick ? 5 : 100;
  const run = async (place, round) => {
    const repo =
      place === 'postgres'
        ? await places.createRepo({ did, signer })
        : await createRepo(join(folders, String(round)), { did, signer });
    await measure(place, 'import', () => repo.importCar(bytes, { key }));
    await measure(place, 'export', () => drain(repo.exportCar()));
    await measure(place, 'verify', () => repo.verify({ key }));
    await measure(place, 'list 1,000', () => drain(repo.list(POST), 1000));
    await measure(place, `put, ${PUTS} times`, async () => {
      for (let i = 0; i < PUTS; i++) {
        await repo.put(POST, `one${i}`, recordOf(0, 4));
      }
    });
    await repo.close();
    if (place === 'postgres') {
      await places.deleteRepo(did);
    }
  };
  // The first round includes the compilers of JavaScript and WebAssembly.
  for (let round = quick ? 1 : 0; round <= rounds; round++) {
    if (round === 1) {
      Object.keys(times).forEach((name) => delete times[name]);
    }
    for (const place of round % 2 === 0 ? ['sqlite', 'postgres'] : ['postgres', 'sqlite']) {
      await run(place, round);
    }
  }
  for (const [name, { sqlite, postgres }] of Object.entries(times)) {
    const ratio = median(postgres.map((time, i) => time / sqlite[i]));
    console.log(
      `beside: ${name.padEnd(15)} SQLite ${median(sqlite).toFixed(1)} ms, PostgreSQL ${median(postgres).toFixed(1)} ms, ` +
        `ratio ${ratio.toFixed(2)}, ${trips[name]} round trips`,
    );
  }
  await places.close();
};
