/** CARs that others wrote: real exports, the fixtures of the reference implementation, the MST suite, the firehose. */
import { describe, expect, test } from 'vitest';
import { readCar, readCarStream } from '../../../src/core/car/reader.ts';
import { writeCar, writeCarStream } from '../../../src/core/car/writer.ts';
import { cidToText } from '../../../src/core/data/cid.ts';
import type { Block } from '../../../src/core/blocks/block.ts';
import { vectorBytes, vectorJson, vectorNames } from '../../vectors.ts';
import { seeded } from '../../random/seeded.ts';
import { asyncOf, cut } from './raw-car.ts';

const nameOf = ({ cid }: Block): string => cidToText(cid);

/** How many blocks a CAR has, once it has been read in both ways and written back to the same bytes. */
const roundTrip = async (bytes: Uint8Array): Promise<number> => {
  const car = readCar(bytes);
  const blocks = [...car];
  const random = seeded(bytes.length);
  const streamed: Block[] = [];
  for await (const batch of await readCarStream(asyncOf(cut(bytes, () => Math.ceil(random() * 5000))))) {
    streamed.push(...batch);
  }
  expect(streamed.map(nameOf)).toEqual(blocks.map(nameOf));
  expect(Buffer.from(bytes).equals(writeCar(car.roots, blocks))).toBe(true);
  const written = await new Response(writeCarStream(car.roots, asyncOf(streamed))).arrayBuffer();
  expect(Buffer.from(bytes).equals(new Uint8Array(written))).toBe(true);
  return blocks.length;
};

describe('real exports', () => {
  const counts: Readonly<Record<string, number>> = {
    'divy.repo': 9,
    'fakermaker.repo.car': 690,
    'greenground.repo.car': 4,
    'paul_staging.repo.car': 458,
    'repo_slice.car': 5,
  };
  test.each(vectorNames('repos', /\.(car|repo)$/))('%s', async (name) => {
    expect(await roundTrip(vectorBytes(`repos/${name}`))).toBe(counts[name]);
  });
});

describe('car-file-fixtures.json', () => {
  interface Case {
    readonly root: string;
    readonly blocks: readonly { readonly cid: string; readonly bytes: string }[];
    readonly car: string;
  }
  const cases = vectorJson<Case[]>('repos/car-file-fixtures.json');
  test.each(cases.map((entry) => [entry.root, entry] as const))('%s', async (root, { blocks, car }) => {
    const bytes = new Uint8Array(Buffer.from(car, 'base64'));
    expect(await roundTrip(bytes)).toBe(blocks.length);
    const parsed = readCar(bytes);
    expect(parsed.roots.map(cidToText)).toEqual([root]);
    const found = [...parsed].map((block) => [
      nameOf(block),
      Buffer.from(block.bytes).toString('base64').replace(/=+$/, ''),
    ]);
    expect(found).toEqual(blocks.map((block) => [block.cid, block.bytes]));
  });
});

describe('the MST suite', () => {
  test('every tree', async () => {
    const names = vectorNames('mst-suite/cars/exhaustive', /\.car$/);
    expect(names).toHaveLength(128);
    for (const name of names) {
      expect(await roundTrip(vectorBytes(`mst-suite/cars/exhaustive/${name}`)), name).toBeGreaterThan(0);
    }
  });
});

describe('the firehose', () => {
  test.each(vectorNames('firehose', /\.json$/))('%s', async (name) => {
    const { blocks, commit } = vectorJson<{
      readonly blocks: { readonly $bytes: string };
      readonly commit: { readonly $link: string };
    }>(`firehose/${name}`);
    const bytes = new Uint8Array(Buffer.from(blocks.$bytes, 'base64'));
    expect(await roundTrip(bytes)).toBeGreaterThan(0);
    expect([...readCar(bytes)].map(nameOf)).toContain(commit.$link);
  });
});
