/** Proofs that were changed on their way, many times. */
import { expect, test } from 'vitest';
import { verifyProof } from '../../../../src/core/repo/proof/verify-proof.ts';
import { seeded } from '../../../random/seeded.ts';
import { options, paths, proofOf, records } from './proven-records.ts';

test('no mutated proof is accepted (10,000 times, seed 131)', async () => {
  const random = seeded(131);
  const pick = (count: number): number => Math.floor(random() * count);
  const cars = new Map<string, Uint8Array>();
  for (const path of paths.slice(0, 50)) {
    cars.set(path, await proofOf(path));
    cars.set(`${path}z`, await proofOf(`${path}z`));
  }
  const names = [...cars.keys()];
  const states = { absent: 0, invalid: 0, present: 0, unproven: 0 };
  for (let i = 0; i < 10_000; i++) {
    const path = names[pick(names.length)]!;
    const car = cars.get(path)!.slice();
    // Flips, truncates or overwrites bytes.
    const kind = pick(3);
    const at = pick(car.length);
    car[at]! ^= kind === 0 ? 1 << pick(8) : 0;
    car.set(car.slice(at, at + (kind === 2 ? 40 : 0)), pick(car.length - 40));
    const mutated = kind === 1 ? car.subarray(0, at) : car;
    if (kind === 2 && Buffer.from(mutated).equals(cars.get(path)!)) {
      continue;
    }
    const result = await verifyProof(mutated, options(path));
    states[result.state] += 1;
    if (result.state === 'present') {
      // The truncated part may contain only the record's block.
      expect(records.has(path)).toBe(true);
      expect(kind).toBe(1);
      expect(result.bytes).toBe(undefined);
    } else if (result.state === 'absent') {
      expect(records.has(path)).toBe(false);
      expect(kind).toBe(1);
    }
  }
  expect(states.invalid).toBeGreaterThan(7000);
});
