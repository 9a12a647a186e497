/** Numbers and lengths beyond those of any real repository. */
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { POST, rkeyOf } from '../../../src/testing/repo/harness.ts';
import { hex, textString } from '../../core/mst/raw-node.ts';
import type { Entry } from '../build-repository.ts';
import { blockOfBytes, carOf, repositoryOf } from '../build-repository.ts';
import type { Attack, AttackClass } from './attack.ts';
import { changedBy, repair, use } from './attack.ts';
import { importCar, makeCar } from './car-attacks.ts';
import { refused, tables, upTo } from './rewrite-schema.ts';

/** A CAR of `count` records that break the data model, each with other bytes. */
const faulty = async (count: number): Promise<Uint8Array> =>
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

/** Made once for two attacks, because this takes as long as the import. */
let made: Promise<Uint8Array> | undefined;
const ninetyThousand = (): Promise<Uint8Array> => (made ??= faulty(90_000));

/** The cost of importing 90,000 sound records. */
const MANY = { mostMs: 20_000, mostMb: 250 };

const rows = (table: string, key: string, value: string): Attack['make'] =>
  changedBy(`${upTo(90_000)} insert into ${table} select ${key}, ${value} from n`);

/** The CID of a block that no tree mentions. */
const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const invalidRows = changedBy(`insert into blocks ${upTo(300_000)} select 'no CID ' || i, x'00' from n`);

export const sizeAttacks: AttackClass = {
  name: 'Sizes',
  attacks: [
    ...refused({
      '501 tables': tables(501, `'create table t' || i || '(a)'`),
      '300,000 tables': tables(300_000, `'create table t' || i || '(a)'`),
      'a table of 100 MB': tables(1, `printf('create table t1 (%.*c)', 100000000, 'a')`),
    }),
    { name: '90,000 faulty records', make: makeCar(ninetyThousand), run: importCar(), end: 'reported', ...MANY },
    {
      name: "90,000 faulty records, with records: 'reject'",
      make: makeCar(ninetyThousand),
      run: importCar({ records: 'reject' }),
      end: 'InvalidRecord',
      ...MANY,
    },
    {
      name: 'a block of 500 MB',
      make: changedBy(`insert into blocks values ('${CID}', zeroblob(500000000))`),
      run: use,
      end: 'damaged',
      mostMs: 10_000,
    },
    {
      name: 'a ref of 100 MB',
      make: changedBy(`insert into refs values ('x', zeroblob(100000000))`),
      run: use,
      end: 'damaged',
      mostMs: 4_000,
    },
    { name: '300,000 invalid rows of blocks', make: invalidRows, run: use, end: 'damaged', mostMs: 10_000 },
    {
      name: '300,000 invalid rows of blocks, and a repair',
      make: invalidRows,
      run: repair,
      end: 'damaged, whole, sound',
      mostMs: 30_000,
    },
    {
      name: '100,001 faulty records',
      make: makeCar(() => faulty(100_001)),
      run: importCar(),
      end: 'LimitExceeded',
      ...MANY,
    },
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
