/**
 * Compares the schema that is read before SQLite runs with the schema that SQLite reads. The WAL and journals have
 * valid checksums, and pages of two databases in any order. If the check accepts a database, SQLite must see the same
 * schema.
 */
import { openPages } from '../../src/adapters/sqlite/file-format/database-pages.ts';
import type { SchemaObject } from '../../src/adapters/sqlite/file-format/schema-rows.ts';
import { readSchemaRows } from '../../src/adapters/sqlite/file-format/schema-rows.ts';
import { concatBytes } from '../../src/core/data/bytes.ts';
import { MemoryFiles } from '../../src/testing/files/memory-files.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';

/** The pages of a database, in order. */
type Pages = readonly Uint8Array[];

interface Seed {
  readonly pageSize: number;
  /** One database at several times, so that some of its pages fit together. */
  readonly states: readonly Pages[];
}

const SECTORS = [512, 4096];

const makeSeed = async (pageSize: number, isVacuumed: boolean): Promise<Seed> => {
  const states: Pages[] = [];
  const files = new MemoryFiles({ durableOn: 'persist' });
  const database = await openDatabase(files);
  const keep = (): void => {
    const bytes = files.main.bytes();
    states.push(
      Array.from({ length: bytes.length / pageSize }, (_, i) => bytes.subarray(i * pageSize, (i + 1) * pageSize)),
    );
  };
  database.exec(`pragma page_size=${pageSize}; pragma auto_vacuum=${isVacuumed ? 'incremental' : 'none'}`);
  for (const name of ['blocks', 'commits', 'meta', 'refs']) {
    database.exec(`create table ${name} (key TEXT PRIMARY KEY, value BLOB NOT NULL)`);
  }
  keep();
  // Rows of several pages, and a tree with more than one level.
  database.exec(`create table notes (text) /* ${'n'.repeat(3 * pageSize)} */`);
  keep();
  for (let i = 0; i < 30; i++) {
    database.exec(`create table other${i} (a, b /* ${'o'.repeat(i * 20)} */)`);
  }
  keep();
  database.exec('drop table notes; insert into blocks values (1, zeroblob(20000)); create view v as select 1');
  keep();
  database.close();
  return { pageSize, states };
};

const seeds = await Promise.all([512, 1024, 4096, 65536].map((size, i) => makeSeed(size, i % 2 === 1)));

const wordsOf = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, i) => new DataView(bytes.buffer).setUint32(4 * i, value));
  return bytes;
};

/** SQLite's checksum of a WAL, for both byte orders. */
const sumUp = (sums: Uint32Array, bytes: Uint8Array, isLittle: boolean): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 8) {
    sums[0]! += view.getUint32(at, isLittle) + sums[1]!;
    sums[1]! += view.getUint32(at + 4, isLittle) + sums[0]!;
  }
};

const pageOf = (random: Random, { states, pageSize }: Seed, number: number): Uint8Array => {
  const state = pick(random, states);
  return state[number - 1] ?? new Uint8Array(pageSize);
};

const logOf = (random: Random, seed: Seed): Uint8Array => {
  const isLittle = random() < 0.5;
  const salts = [below(random, 2 ** 32), below(random, 2 ** 32)];
  const head = wordsOf(0x377f0682 + (isLittle ? 0 : 1), 3007000, seed.pageSize, 0, ...salts);
  const sums = new Uint32Array(2);
  sumUp(sums, head, isLittle);
  const parts = [head, wordsOf(...sums)];
  const count = below(random, 12);
  for (let i = 0; i < count; i++) {
    const sizes = [...seed.states.map(({ length }) => length), 1, 1000];
    const number = random() < 0.3 ? 1 : 1 + below(random, 12);
    const start = wordsOf(number, random() < 0.4 ? pick(random, sizes) : 0);
    const page = pageOf(random, seed, number);
    sumUp(sums, start, isLittle);
    sumUp(sums, page, isLittle);
    const isWrong = random() < 0.05;
    parts.push(start, wordsOf(...(isWrong ? [1, 2] : salts)), wordsOf(...sums), page);
  }
  return concatBytes(parts);
};

const journalOf = (random: Random, seed: Seed): Uint8Array => {
  const { pageSize } = seed;
  const sector = pick(random, SECTORS);
  const parts: Uint8Array[] = [];
  let size = 0;
  const push = (...bytes: readonly Uint8Array[]): void => {
    parts.push(...bytes);
    size += bytes.reduce((sum, { length }) => sum + length, 0);
  };
  for (let segment = 0; segment <= below(random, 3); segment++) {
    push(new Uint8Array((sector - (size % sector)) % sector));
    const count = below(random, 6);
    const seedOfSums = below(random, 2 ** 32);
    const said = pick(random, [count, count, 0xffffffff, count + 1, Math.max(0, count - 1)]);
    const pages = pick(random, [...seed.states.map(({ length }) => length), 1, 0]);
    const header = concatBytes([
      Uint8Array.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]),
      wordsOf(said, seedOfSums, pages, sector, random() < 0.1 ? 0 : pageSize),
    ]);
    push(header, new Uint8Array(sector - header.length));
    for (let i = 0; i < count; i++) {
      const number = random() < 0.3 ? 1 : 1 + below(random, 12);
      const page = pageOf(random, seed, number);
      let sum = seedOfSums;
      for (let at = pageSize - 200; at > 0; at -= 200) {
        sum += page[at]!;
      }
      push(wordsOf(number), page, wordsOf(random() < 0.05 ? 1 : sum >>> 0));
    }
  }
  return concatBytes(parts);
};

const damaged = (random: Random, bytes: Uint8Array): Uint8Array =>
  random() < 0.2 && bytes.length > 0 ? mutateBytes(bytes, random).subarray(0, bytes.length + 65536) : bytes;

/** Returns the files of one case. */
export const makeFiles = (random: Random): MemoryFiles => {
  const seed = pick(random, seeds);
  const files = new MemoryFiles();
  const main = concatBytes(pick(random, seed.states));
  files.main.write(damaged(random, main), { at: 0 });
  if (random() < 0.6) {
    files.wal.write(damaged(random, logOf(random, seed)), { at: 0 });
  }
  if (random() < 0.6) {
    files.journal.write(damaged(random, journalOf(random, seed)), { at: 0 });
  }
  return files;
};

/** Returns the schema that SQLite reads, or `undefined` if SQLite refuses it. */
export const readBySqlite = (files: MemoryFiles): Promise<string | undefined> =>
  orRefused(async () => {
    const database = await openDatabase(files);
    const rows: SchemaObject[] = [];
    const statement = database.prepare(
      'select type, name, tbl_name, sql is null, sql from sqlite_schema order by rowid',
    );
    try {
      while (statement.step()) {
        const [type, name, table, isNull, sql] = [0, 1, 2, 3, 4].map((i) => statement.columnText(i));
        rows.push({ type: type!, name: name!, table: table!, sql: isNull === '1' ? undefined : sql! });
      }
    } finally {
      statement.finalize();
      database.abandon();
    }
    return JSON.stringify(rows);
  });

/** Returns the schema that is read before SQLite runs, or `undefined` if it is refused. */
export const readByUs = (files: MemoryFiles): Promise<string | undefined> =>
  orRefused(() => {
    const pages = openPages(files);
    return JSON.stringify(pages === undefined ? [] : readSchemaRows(pages));
  });

export const schemaTarget: FuzzTarget = {
  name: 'schema before SQLite',
  async run(random) {
    const files = makeFiles(random);
    const before = [files.main, files.journal, files.wal].map((file) => Buffer.from(file.bytes()).toString('base64'));
    const ours = await readByUs(files);
    const after = [files.main, files.journal, files.wal].map((file) => Buffer.from(file.bytes()).toString('base64'));
    hold(before.join() === after.join(), 'reading the schema writes no file');
    if (ours === undefined) {
      return 'refused';
    }
    const theirs = await readBySqlite(files);
    hold(theirs === undefined || theirs === ours, `SQLite reads the checked schema: ${ours.slice(0, 300)}`);
    return theirs === undefined ? 'refused' : 'accepted';
  },
};
