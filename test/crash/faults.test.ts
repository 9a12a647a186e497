/**
 * Each call of the storage fails in each possible way, once and from then on. `PDSDB_FAULTS` is the share of the calls
 * that are tested, of each kind of call: 1 for all.
 */
import { expect, test } from 'vitest';
import { drawShare } from '../random/draw-share.ts';
import { seeded } from '../random/seeded.ts';
import { runWithFault } from './fault-run.ts';
import { placeOn } from './place.ts';
import { SimulatedDisk, systemError } from './simulated-disk.ts';
import type { DiskCall, Interference } from './simulated-disk.ts';
import { SimulatedOrigin } from './simulated-origin.ts';
import { placeInOrigin } from './storage-kind.ts';

const SHARE = Number(process.env['PDSDB_FAULTS'] ?? 0.05);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);

/** The fault for a call, or `undefined` if the call cannot fail in this way. */
type Fault = readonly [name: string, make: (call: DiskCall) => Interference];

const throwing = (code: string): Fault => [code, () => ({ throws: systemError(code, 'no') })];
/** The files under SQLite may accept a part of a write, as those of browsers do. */
const isPaged = ({ verb, path }: DiskCall): boolean => verb === 'write' && /pds\.db(-journal|-wal)?$/.test(path);

const faults: readonly Fault[] = [
  throwing('ENOSPC'),
  throwing('EIO'),
  throwing('EDQUOT'),
  ['QuotaExceededError', () => ({ throws: new DOMException('no', 'QuotaExceededError') })],
  ['TypeError', () => ({ throws: new TypeError('no') })],
  [
    'half of a write, then EIO',
    ({ verb }) => (verb === 'write' ? { throws: systemError('EIO', 'no'), after: 'half' } : undefined),
  ],
  ['half of a write', (call) => (isPaged(call) ? { takes: 0.5 } : undefined)],
  ['nothing of a write', (call) => (isPaged(call) ? { takes: 0 } : undefined)],
];

/** Runs the workload with the n-th call failing. */
const failAt = async (n: number, [, make]: Fault, mode: 'from then on' | 'once'): Promise<string[]> => {
  const disk = new SimulatedDisk();
  let count = 0;
  disk.interfere = (call) => {
    count += 1;
    return count === n || (mode === 'from then on' && count > n) ? make(call) : undefined;
  };
  const { wrong } = await runWithFault(
    placeOn(disk),
    () => count >= n,
    () => (disk.interfere = () => undefined),
  );
  return wrong;
};

/** Returns the calls of a run without a fault. */
const callsOfRun = async (): Promise<DiskCall[]> => {
  const disk = new SimulatedDisk();
  const calls: DiskCall[] = [];
  disk.interfere = (call) => void calls.push(call);
  expect(
    await runWithFault(
      placeOn(disk),
      () => false,
      () => undefined,
    ),
  ).toEqual({ wrong: [], met: undefined });
  return calls;
};

/** Draws calls of each kind (verb, and whether a part can be written), at least one of each. The first call is 1. */
const drawCalls = (calls: readonly DiskCall[]): number[] => {
  const random = seeded(SEED);
  const kindOf = (call: DiskCall): string => `${call.verb} ${isPaged(call)}`;
  return [...new Set(calls.map(kindOf))].flatMap((kind) => {
    const numbers = calls.flatMap((call, i) => (kindOf(call) === kind ? [i + 1] : []));
    return drawShare(numbers, SHARE, random);
  });
};

test.each(['once', 'from then on'] as const)(
  `each call on a disk fails %s (${SHARE} of the calls, seed ${SEED})`,
  { timeout: 3_600_000 },
  async (mode) => {
    const found: string[] = [];
    const tried = new Map<string, number>(faults.map(([name]) => [name, 0]));
    const calls = await callsOfRun();
    for (const n of drawCalls(calls)) {
      const call = calls[n - 1]!;
      for (const fault of faults.filter(([, make]) => make(call) !== undefined)) {
        const [name] = fault;
        tried.set(name, tried.get(name)! + 1);
        const wrong = await failAt(n, fault, mode);
        found.push(...wrong.map((sentence) => `call ${n}, ${call.verb} of ${call.path}, ${name}: ${sentence}`));
      }
    }
    if (process.env['PDSDB_TABLE'] !== undefined) {
      console.log(
        `${mode}: ${[...tried.values()].reduce((a, b) => a + b)} runs, ${found.length} wrong; ${JSON.stringify(Object.fromEntries(tried))}`,
      );
    }
    expect(found.slice(0, 10)).toEqual([]);
    expect([...tried].filter(([, runs]) => runs === 0)).toEqual([]);
  },
);

test.each(['once', 'from then on'] as const)('each transaction fails %s', { timeout: 3_600_000 }, async (mode) => {
  const found: string[] = [];
  let runs = 0;
  const causes = [
    new DOMException('no', 'QuotaExceededError'),
    new DOMException('no', 'AbortError'),
    new DOMException('lost', 'UnknownError'),
  ];
  for (let n = 1, isPast = false; !isPast; n++) {
    const origin = new SimulatedOrigin();
    let count = 0;
    origin.interfere = () => {
      count += 1;
      if (count === n || (mode === 'from then on' && count > n)) {
        throw causes[n % causes.length];
      }
    };
    const { wrong } = await runWithFault(
      placeInOrigin(origin),
      () => count >= n,
      () => (origin.interfere = () => undefined),
    );
    isPast = count < n;
    runs += 1;
    found.push(...wrong.map((sentence) => `transaction ${n}: ${sentence}`));
  }
  expect(found.slice(0, 10)).toEqual([]);
  expect(runs).toBeGreaterThan(10);
});
