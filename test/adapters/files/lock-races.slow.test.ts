/** Random orders of the calls that processes make to the disk. */
import { describe, expect, test } from 'vitest';
import { formatLock } from '../../../src/adapters/files/lock-record.ts';
import { successorOf } from '../../../src/adapters/files/lock-names.ts';
import { WRITING_MS } from '../../../src/adapters/files/lock-chain.ts';
import { seeded } from '../../random/seeded.ts';
import { Contender } from './contender.ts';
import { LockDisk } from './lock-disk.ts';

const ROUNDS = Number(process.env['PDSDB_LOCK_ROUNDS'] ?? 200);
const DEAD = 9;

const MADE = 1_700_000_000_000;
const next = successorOf('pds.lock', MADE);
const dead = formatLock({ pid: DEAD, runtime: 'node', token: 'a'.repeat(32), madeMs: MADE });

type Leave = readonly (readonly [name: string, text: string])[];

/** Stale files up to the last name without a hash. */
const longChain: Leave = (() => {
  const chain: [string, string][] = [['pds.lock', dead]];
  for (let name = next; !/[0-9a-f]{32}/.test(name); name = successorOf(name, MADE)) {
    chain.push([name, dead]);
  }
  return chain;
})();

const starts: readonly (readonly [name: string, files: Leave])[] = [
  ['nothing', []],
  ['a stale lock', [['pds.lock', dead]]],
  ['an empty lock', [['pds.lock', '']]],
  [
    'a stale lock with a stale successor',
    [
      ['pds.lock', dead],
      [next, dead],
    ],
  ],
  [
    'a stale lock with an empty successor',
    [
      ['pds.lock', dead],
      [next, ''],
    ],
  ],
  ['a stale chain whose next name is hashed', longChain],
  ['an orphaned successor', [[next, dead]]],
];

interface Outcome {
  readonly owners: number;
  readonly most: number;
}

/** Four contenders. Some die and some release the lock; time passes in jumps. */
const race = (seed: number, files: Leave): Outcome => {
  const random = seeded(seed);
  const disk = new LockDisk({ hasIds: seed % 2 === 0 });
  disk.kill(DEAD);
  files.forEach(([name, text]) => disk.leave(name, text, WRITING_MS * 2));
  let lateMs = 0;
  const clock = (): number => base + lateMs;
  const base = Date.now();
  disk.clock = clock;
  const contenders = [100, 101, 102, 103].map((pid) => new Contender(disk, pid, random() < 0.4, clock));
  const running = new Set(contenders);
  const dying = random() < 0.5 ? 0.02 : 0;
  let owners = 0;
  let most = 0;
  let current = contenders[0]!;
  for (let step = 0; step < 1000 && running.size > 0; step++) {
    // Mostly the same contender continues, because large distances between them find more faults.
    if (!running.has(current) || random() < 0.2) {
      const others = [...running];
      current = others[Math.floor(random() * others.length)]!;
    }
    if (random() < 0.02) {
      lateMs += WRITING_MS * 2;
    }
    if (random() < dying) {
      disk.kill(current.pid);
      running.delete(current);
      contenders.splice(contenders.indexOf(current), 1);
      continue;
    }
    const before = current.owns;
    current.step();
    owners += !before && current.owns ? 1 : 0;
    most = Math.max(most, contenders.filter(({ owns }) => owns).length);
    if (current.hasEnded) {
      running.delete(current);
    }
  }
  // After all of them have ended and time has passed, the next one gets the lock and leaves no other file.
  [100, 101, 102, 103].forEach((pid) => disk.kill(pid));
  lateMs += WRITING_MS * 2;
  const last = new Contender(disk, 200, true, clock);
  for (let step = 0; step < 1000 && !last.hasEnded; step++) {
    last.step();
    owners += last.owns ? 1 : 0;
  }
  expect(disk.names(), `remaining files; seed=${seed}`).toEqual([]);
  expect(last.hasEnded, `the last one came to an end; seed=${seed}`).toBe(true);
  return { owners, most };
};

describe('contenders in any order', () => {
  test.each(starts)(`from %s: never two owners, and in the end one; seeds 1 to ${ROUNDS}`, (_, files) => {
    let owners = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const outcome = race(seed, files);
      expect(outcome.most, `owners at a time; seed=${seed}`).toBeLessThan(2);
      expect(outcome.owners, `owners in all; seed=${seed}`).toBeGreaterThan(0);
      owners += outcome.owners;
    }
    expect(owners).toBeGreaterThan(ROUNDS);
  });
});
