/** Numbers and lengths beyond those of any real repository. */
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { POST, rkeyOf } from '../../../src/testing/repo/harness.ts';
import { hex, textString } from '../../core/mst/raw-node.ts';
import type { Entry } from '../build-repository.ts';
import { blockOfBytes, carOf, repositoryOf } from '../build-repository.ts';
import type { Attack, AttackClass } from './attack.ts';
import { changedBy, use } from './attack.ts';
import { importCar, makeCar } from './car-attacks.ts';
import { refused, WRITABLE } from './rewrite-schema.ts';

const upTo = (count: number): string =>
  `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`;

/** Tables that exist only in the schema. */
const tables = (count: number, statement: string): Attack['make'] =>
  changedBy(
    WRITABLE,
    `${upTo(count)} insert into sqlite_schema select 'table', 't' || i, 't' || i, 2, ${statement} from n`,
  );

/** A CAR of `count` records that break the data model, each with other bytes. */
const faulty = (count: number) => async (): Promise<Uint8Array> =>
  carOf(
    await repositoryOf({
      records: Array.from(
        { length: count },
        (_, i): Entry => [
          `${POST}/${rkeyOf(i)}`,
          blockOfBytes(concatBytes([hex('a2 6161 f7 65 2474797065'), textString(`x${i}`)])),
        ],
      ),
    }),
  );

/** The cost of importing 90,000 sound records. */
const MANY = { mostMs: 20_000, mostMb: 250 };

const rows = (table: string, key: string, value: string): Attack['make'] =>
  changedBy(`${upTo(90_000)} insert into ${table} select ${key}, ${value} from n`);

export const sizeAttacks: AttackClass = {
  name: 'Sizes',
  attacks: [
    ...refused({
      '501 tables': tables(501, `'create table t' || i || '(a)'`),
    }),
    { name: '90,000 faulty records', make: makeCar(faulty(90_000)), run: importCar(), end: 'reported', ...MANY },
    {
      name: "90,000 faulty records, with records: 'reject'",
      make: makeCar(faulty(90_000)),
      run: importCar({ records: 'reject' }),
      end: 'InvalidRecord',
      ...MANY,
    },
    { name: '100,001 faulty records', make: makeCar(faulty(100_001)), run: importCar(), end: 'LimitExceeded', ...MANY },
    {
      name: '90,000 refs to missing commits',
      make: rows('refs', `'x' || i`, `x'00'`),
      run: use,
      end: 'damaged',
      ...MANY,
    },
    {
      name: '90,000 missing commits in the list',
      make: rows('commits', `'x' || i`, `x'00'`),
      run: use,
      end: 'damaged',
      ...MANY,
    },
  ],
};
