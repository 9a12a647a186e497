/**
 * Readers in a loop while a process commits, imports, collects garbage and is killed. `PDSDB_KILLS` sets the number of
 * kills. A reader sees one acknowledged state, or gets `Locked`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRepoError } from '../../src/core/errors.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { verifyCar } from '../../src/index.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { seeded } from '../random/seeded.ts';
import { DID, STEPS } from './victim.ts';
import { victimCommand } from './victim-command.ts';

const KILLS = Number(process.env['PDSDB_KILLS'] ?? 5);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);
const MOST_LINES = 40;
const PART_OF_A_STEP_MS = 40;

const scratch = scratchFolder('readers');

const unlessLocked = async <T>(read: () => Promise<T>): Promise<T | 'Locked'> => {
  try {
    return await read();
  } catch (error) {
    if (isRepoError(error, 'Locked')) {
      return 'Locked';
    }
    throw error;
  }
};

/** The steps that a repository shows. They start at the first step without a gap, because each step is a commit. */
const stepsOf = async (repo: Repo): Promise<number> => {
  const steps: number[] = [];
  for await (const { value } of repo.list(STEPS)) {
    steps.push(value['n'] as number);
  }
  expect(steps.sort((a, b) => a - b)).toEqual(steps.map((_, i) => i));
  return steps.length;
};

/** Runs every kind of read. Returns the highest step that it saw, and the number of reads. */
const readOnce = async (repo: Repo): Promise<{ readonly steps: number; readonly reads: number }> => {
  let [steps, reads] = [-1, 0];
  const count = <T>(result: T | 'Locked'): T | undefined => {
    reads += result === 'Locked' ? 0 : 1;
    return result === 'Locked' ? undefined : result;
  };
  steps = count(await unlessLocked(() => stepsOf(repo))) ?? -1;
  count(await unlessLocked(() => repo.info()));
  const report = count(await unlessLocked(() => repo.verify()));
  expect(report?.ok ?? true, JSON.stringify(report?.faults)).toBe(true);
  const car = count(await unlessLocked(async () => readAll(repo.exportCar())));
  if (car !== undefined && car.length > 0) {
    // The writer makes unsigned commits.
    const { faults } = await verifyCar(car);
    expect(faults.filter(({ code }) => code !== 'InvalidSignature')).toEqual([]);
  }
  count(await unlessLocked(async () => repo.get(STEPS, '0')));
  return { steps, reads };
};

test(`readers see one state, or get Locked, while a writer is killed ${KILLS} times; seed ${SEED}`, {
  timeout: 7_200_000,
}, async () => {
  const random = seeded(SEED);
  const [program, ...args] = await victimCommand('node', 'readers');
  const folder = join(scratch, 'repo');
  {
    await using repo = await createRepo(folder, { did: DID });
    await repo.write([{ action: 'create', collection: STEPS, rkey: '0', value: { $type: STEPS, n: 0 } }]);
  }
  await using kept = await openRepo(folder, { readOnly: true });
  let first = 1;
  let total = 0;
  let hasRecovered = false;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(program!, [...args, folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    let isGone = false;
    const gone = once(child, 'close').then(() => (isGone = true));
    const lines = Math.floor(random() * MOST_LINES);
    const partMs = random() * PART_OF_A_STEP_MS;
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      if (out.split('\n').length > lines) {
        timer ??= setTimeout(() => child.kill('SIGKILL'), partMs);
      }
    });
    while (!isGone) {
      await readOnce(kept);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await gone;
    clearTimeout(timer);
    const last = (word: string): number =>
      Number([...out.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? first - 1);
    hasRecovered ||= ['-wal', '-journal'].some(
      (suffix) => (fs.statSync(join(folder, `pds.db${suffix}`), { throwIfNoEntry: false })?.size ?? 0) > 0,
    );
    const names = fs.readdirSync(folder);
    // No process writes now. The old reader and a new reader show every acknowledged step.
    await using fresh = await openRepo(folder, { readOnly: true });
    for (const reader of [kept, fresh]) {
      const { steps, reads } = await readOnce(reader);
      expect(reads).toBe(5);
      expect(steps - 1).toBeGreaterThanOrEqual(last('ack'));
      expect(steps - 1).toBeLessThanOrEqual(last('start'));
      total += reads;
      first = steps;
    }
    expect(fs.readdirSync(folder)).toEqual(names);
  }
  expect(total).toBe(KILLS * 10);
  expect(hasRecovered).toBe(true);
});

test('readers see one state, or get Locked, while an owner opens, commits and closes', {
  timeout: 600_000,
}, async () => {
  const folder = join(scratch, 'brief');
  await (await createRepo(folder, { did: DID })).close();
  let isOver = false;
  const write = async (): Promise<void> => {
    for (let n = 0; n < 40; n++) {
      {
        await using repo = await openRepo(folder);
        // One commit writes both records, so a state has both or neither.
        await repo.write(
          ['a', 'b'].map((rkey) => ({
            action: n === 0 ? ('create' as const) : ('update' as const),
            collection: STEPS,
            rkey,
            value: { $type: STEPS, n, text: 'x'.repeat(n * 100) },
          })),
        );
        if (n % 3 === 2) {
          await repo.gc();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, (n % 5) * 20));
    }
    isOver = true;
  };
  const read = async (): Promise<number> => {
    let [seen, reads] = [-1, 0];
    await using repo = await openRepo(folder, { readOnly: true });
    while (!isOver) {
      const state = await unlessLocked(async () => {
        const found: number[] = [];
        for await (const { value } of repo.list(STEPS)) {
          found.push(value['n'] as number);
        }
        return found;
      });
      if (state !== 'Locked' && state.length > 0) {
        expect(state).toEqual([state[0], state[0]]);
        expect(state[0]).toBeGreaterThanOrEqual(seen);
        seen = state[0]!;
        reads += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await repo.get(STEPS, 'b')).toMatchObject({ value: { n: 39 } });
    return reads;
  };
  // The readers open the repository before the owner does.
  const reading = [read(), read()];
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [, ...reads] = await Promise.all([write(), ...reading]);
  expect(Math.min(...reads)).toBeGreaterThan(0);
});
