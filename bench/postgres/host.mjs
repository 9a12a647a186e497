// A host of eight processes, each on accounts of its own: commits a second, in PostgreSQL and in folders.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRepo } from '../../dist/node.js';
import { openPlaces, scratch, signer } from './place.mjs';
import { didOf, POST, recordOf } from './records.mjs';

const PROCESSES = 8;
const ACCOUNTS = 4;
const FIRST_ACCOUNT = 500_000;

/** One process: makes its accounts, waits for the start, and commits to each of them until the time is over. */
const work = async ({ place, url, folder, number, seconds }) => {
  const places = place === 'postgres' ? await openPlaces(url) : undefined;
  const repos = [];
  for (let i = 0; i < ACCOUNTS; i++) {
    const did = didOf(FIRST_ACCOUNT + number * ACCOUNTS + i);
    repos.push(await (places?.createRepo({ did, signer }) ?? createRepo(join(folder, did), { did, signer })));
  }
  process.send('ready');
  await once(process, 'message');
  const end = performance.now() + seconds * 1000;
  const counts = await Promise.all(
    repos.map(async (repo) => {
      let count = 0;
      for (; performance.now() < end; count++) {
        await repo.put(POST, `post${count}`, recordOf(0, 4));
      }
      return count;
    }),
  );
  await Promise.all(repos.map((repo) => repo.close()));
  await places?.close();
  process.send(counts.reduce((sum, count) => sum + count, 0));
  process.disconnect();
};

export const hostPart = async ({ url, quick, pairs }) => {
  const processes = quick ? 2 : PROCESSES;
  const seconds = quick ? 1 : 10;
  for (let round = 0; round < (quick ? 1 : Math.min(3, pairs)); round++) {
    for (const place of ['sqlite', 'postgres']) {
      const folder = scratch();
      const children = Array.from({ length: processes }, () => fork(fileURLToPath(import.meta.url)));
      const messages = children.map((child, number) => {
        child.send({ place, url, folder, number, seconds });
        return once(child, 'message');
      });
      await Promise.all(messages);
      const counts = children.map(async (child) => {
        child.send('start');
        const [count] = await once(child, 'message');
        return count;
      });
      const sum = (await Promise.all(counts)).reduce((all, count) => all + count, 0);
      console.log(
        `host: ${place.padEnd(8)} ${processes} processes of ${ACCOUNTS} accounts: ${(sum / seconds).toFixed(0)} commits a second`,
      );
      if (place === 'postgres') {
        const places = await openPlaces(url);
        for (let i = 0; i < processes * ACCOUNTS; i++) {
          await places.deleteRepo(didOf(FIRST_ACCOUNT + i));
        }
        await places.close();
      }
    }
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [task] = await once(process, 'message');
  await work(task);
}
