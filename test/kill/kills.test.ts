/**
 * `kill -9` at random moments. All kills of a runtime use the same folder, so that each process starts from the state
 * after the previous kills. `PDSDB_KILLS` sets their number.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRepoError } from '../../src/core/errors.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { seeded } from '../random/seeded.ts';
import { findRuntime } from '../runtime/find-runtime.ts';
import { DID, STEPS } from './victim.ts';
import { victimCommand } from './victim-command.ts';

const KILLS = Number(process.env['PDSDB_KILLS'] ?? 5);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

/**
 * The longest life of a process, in printed lines: two lines per step. A random part of a step is added. So a life does
 * not depend on the speed of the machine.
 */
const MOST_LINES = 24;
const PART_OF_A_STEP_MS = 40;
/** The longest life in milliseconds, to kill a process while it starts. */
const LONGEST_START_MS = 1200;
/**
 * The limit for an opening after a kill, for an idle machine: `PDSDB_OPEN_MS=5000`. An opening takes some tens of
 * milliseconds, most of them to compile SQLite. It takes two seconds more after a kill between the creation of the lock
 * and its record. There is no limit for a busy machine.
 */
const OPEN_MS = Number(process.env['PDSDB_OPEN_MS'] ?? Number.POSITIVE_INFINITY);
/** After so many kills, the folder is new, so that kills also hit creations. */
const FRESH_EVERY = 10;

const scratch = scratchFolder('kills');

interface Life {
  readonly openMs: number | undefined;
  readonly acknowledged: number;
  readonly started: number;
  readonly errors: string;
}

/** Starts a process and kills it at a random moment of its life, or with `early` of its start. */
const live = async (
  [program, ...args]: readonly string[],
  folder: string,
  first: number,
  random: () => number,
  early: boolean,
): Promise<Life> => {
  const child = spawn(program!, [...args, folder, String(first)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  // Not `exit`, which can come before the last lines of the pipe. An acknowledged step would be missed.
  const gone = once(child, 'close');
  const kill = (): boolean => child.kill('SIGKILL');
  let timer: NodeJS.Timeout | undefined;
  const lines = Math.floor(random() * MOST_LINES);
  const partMs = random() * PART_OF_A_STEP_MS;
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    if (out.split('\n').length > lines) {
      timer ??= setTimeout(kill, partMs);
    }
  });
  if (early) {
    timer = setTimeout(kill, random() * LONGEST_START_MS);
  }
  await gone;
  clearTimeout(timer);
  const numbers = (word: string): number[] =>
    [...out.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, n]) => Number(n));
  return {
    openMs: numbers('open')[0],
    acknowledged: numbers('ack').at(-1) ?? first - 1,
    started: numbers('start').at(-1) ?? first - 1,
    errors,
  };
};

describe.each(['node', 'deno', 'bun'] as const)('%s', (runtime) => {
  const isThere = runtime === 'node' || findRuntime(runtime) !== undefined;

  test.skipIf(!isThere)(
    `after ${KILLS} kills, it has every commit that it acknowledged; seed ${SEED}`,
    { timeout: 7_200_000 },
    async () => {
      const random = seeded(SEED);
      const command = await victimCommand(runtime, 'kills');
      let folder = '';
      let last = 0;
      let slowest = 0;
      let steps = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        if (kill % FRESH_EVERY === 0) {
          folder = fs.mkdtempSync(join(scratch, `${runtime}-`));
          last = 0;
        }
        const { openMs, acknowledged, started, errors } = await live(
          command,
          folder,
          last + 1,
          random,
          kill % FRESH_EVERY === 0 || random() < 0.2,
        );
        const where = `kill ${kill}, after ack ${acknowledged}, start ${started}`;
        expect(errors, where).toBe('');
        slowest = Math.max(slowest, openMs ?? 0);
        steps += acknowledged - last;
        const found = await examine(folder, where, acknowledged > 0);
        expect(found.steps === acknowledged || found.steps === started, `${where}: found ${found.steps}`).toBe(true);
        slowest = Math.max(slowest, found.openMs);
        last = found.steps;
      }
      expect(slowest, 'opening took').toBeLessThan(OPEN_MS);
      if (process.env['PDSDB_TABLE'] !== undefined) {
        console.log(`${runtime}: ${KILLS} kills, ${steps} steps acknowledged, slowest opening ${slowest} ms`);
      }
    },
  );
});

/** Opens the repository after a kill, checks it and closes it. Returns the number of the last stored step. */
const examine = async (
  folder: string,
  where: string,
  exists: boolean,
): Promise<{ readonly steps: number; readonly openMs: number }> => {
  const begin = performance.now();
  const repo = await openRepo(folder).catch((error: unknown) => {
    // The kill interrupted the creation before the first acknowledgement.
    if (exists || !isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
    return createRepo(folder, { did: DID });
  });
  const openMs = Math.round(performance.now() - begin);
  const report = await repo.verify();
  expect(report.faults, where).toEqual([]);
  for await (const { uri } of repo.missingBlobs()) {
    throw new Error(`${where}: a blob is missing; uri=${uri}`);
  }
  const numbers: number[] = [];
  for await (const { rkey } of repo.list(STEPS)) {
    numbers.push(Number(rkey));
  }
  numbers.sort((a, b) => a - b);
  expect(numbers, where).toEqual(Array.from(numbers, (_, i) => i + 1));
  await repo.close();
  expect(fs.readdirSync(folder).sort(), where).toEqual(['blobs', 'pds.db']);
  return { steps: numbers.length, openMs };
};
