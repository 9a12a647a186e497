/**
 * Each call of the storage fails, once and from then on. `PDSDB_FAULTS` is the part of the calls that is tried: 1 for every one of
 * them.
 */
import { expect, test } from 'vitest';
import { seeded } from '../random/seeded.ts';
import { runWithFault } from './fault-run.ts';
import { placeOn } from './place.ts';
import { SimulatedDisk, systemError } from './simulated-disk.ts';
import type { DiskCall, Interference } from './simulated-disk.ts';
import { SimulatedOrigin } from './simulated-origin.ts';
import { placeInOrigin } from './storage-kind.ts';

const SHARE = Number(process.env['PDSDB_FAULTS'] ?? 0.05);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

type Fault = readonly [name: string, make: (call: DiskCall) => Interference];

const throwing = (code: string): Fault => [code, () => ({ throws: systemError(code, 'no') })];
/** Files under SQLite may take less than they were given: those of browsers do. */
const isPaged = ({ verb, path }: DiskCall): boolean => verb === 'write' && /pds\.db(-journal|-wal)?$/.test(path);

const faults: readonly Fault[] = [
  throwing('ENOSPC'),
  throwing('EIO'),
  throwing('EDQUOT'),
  ['QuotaExceededError', () => ({ throws: new DOMException('no', 'QuotaExceededError') })],
  ['TypeError', () => ({ throws: new TypeError('no') })],
  ['half of a write, then EIO', ({ verb }) => ({ throws: systemError('EIO', 'no'), ...(verb === 'write' && { after: 'half' as const }) })],
  ['half of a write', (call) => (isPaged(call) ? { takes: 0.5 } : undefined)],
  ['nothing of a write', (call) => (isPaged(call) ? { takes: 0 } : undefined)],
];

/** Runs with the n-th call failing; answers what was wrong, and whether there was an n-th call. */
const failAt = async (n: number, [, make]: Fault, mode: 'from then on' | 'once') => {
  const disk = new SimulatedDisk();
  let count = 0;
  disk.interfere = (call) => {
    count += 1;
    return count === n || (mode === 'from then on' && count > n) ? make(call) : undefined;
  };
  const { wrong } = await runWithFault(placeOn(disk), () => count >= n, () => (disk.interfere = () => undefined));
  return { wrong, isPast: count < n };
};

test.each(['once', 'from then on'] as const)(`each call on a disk fails %s (${SHARE} of the calls, seed ${SEED})`, { timeout: 3_600_000 }, async (mode) => {
  const random = seeded(SEED);
  const found: string[] = [];
  let runs = 0;
  for (let n = 1; ; n++) {
    if (random() >= SHARE) {
      continue;
    }
    const fault = faults[Math.floor(random() * faults.length)]!;
    const { wrong, isPast } = await failAt(n, fault, mode);
    if (isPast) {
      break;
    }
    runs += 1;
    found.push(...wrong.map((sentence) => `call ${n}, ${fault[0]}: ${sentence}`));
  }
  if (process.env['PDSDB_TABLE'] !== undefined) {
    console.log(`${runs} runs, ${mode}: ${found.length} wrong`);
  }
  expect(found.slice(0, 10)).toEqual([]);
  expect(runs).toBeGreaterThan(0);
});

test.each(['once', 'from then on'] as const)('each transaction fails %s', { timeout: 3_600_000 }, async (mode) => {
  const found: string[] = [];
  let runs = 0;
  const causes = [new DOMException('no', 'QuotaExceededError'), new DOMException('no', 'AbortError'), new DOMException('lost', 'UnknownError')];
  for (let n = 1, isPast = false; !isPast; n++) {
    const origin = new SimulatedOrigin();
    let count = 0;
    origin.interfere = () => {
      count += 1;
      if (count === n || (mode === 'from then on' && count > n)) {
        throw causes[n % causes.length];
      }
    };
    const { wrong } = await runWithFault(placeInOrigin(origin), () => count >= n, () => (origin.interfere = () => undefined));
    isPast = count < n;
    runs += 1;
    found.push(...wrong.map((sentence) => `transaction ${n}: ${sentence}`));
  }
  expect(found.slice(0, 10)).toEqual([]);
  expect(runs).toBeGreaterThan(10);
});
