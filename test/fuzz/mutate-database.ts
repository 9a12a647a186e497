/**
 * Damage to a database: bytes and pages as disks damage them, rows as SQL changes them, and forged blocks with valid
 * hashes and signatures.
 */
import { concatBytes } from '../../src/core/data/bytes.ts';
import { cidTextToBytes, cidToText, decodeCid } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import type { Block } from '../../src/core/blocks/block.ts';
import { KEY } from '../../src/testing/repo/harness.ts';
import type { Database } from '../../src/wasm/database/database.ts';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';
import { mutateBlocks } from './mutate-blocks.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';

const PAGE = 4096;
/** About the number of tables of a sample. */
const ROWS = 40;

const replaced = (bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(concatBytes([bytes.subarray(0, start), by, bytes.subarray(end)]));

/** Changes a chunk of the file, or its beginning. */
export const mutateFile = (bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> => {
  const start = random() < 0.3 ? 0 : below(random, bytes.length);
  const end = Math.min(bytes.length, start + pick(random, [100, PAGE, bytes.length]));
  return replaced(bytes, start, end, mutateBytes(bytes.subarray(start, end), random));
};

const PAGE_DAMAGES: readonly ((page: Uint8Array<ArrayBuffer>, other: Uint8Array, random: Random) => Uint8Array)[] = [
  (page) => new Uint8Array(page.length),
  (_, other) => other,
  (page, other, random) =>
    replaced(page, 512 * below(random, 8), PAGE, other.subarray(0, 512 * (1 + below(random, 7)))).subarray(0, PAGE),
  // The kind, number and offsets of the cells: the header of a page and its pointers.
  (page, _, random) => {
    for (let i = 0; i <= below(random, 4); i++) {
      page[below(random, 40)] = below(random, 256);
    }
    return page;
  },
  (page, _, random) => page.fill(below(random, 256), PAGE / 2),
  (page, _, random) => page.map(() => below(random, 256)),
];

/** Zeroes, exchanges, tears or fills up to a few pages, and sometimes truncates the file. */
export const mutatePages = (bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> => {
  const result = new Uint8Array(bytes);
  const pages = Math.floor(bytes.length / PAGE);
  for (let i = 0; i <= below(random, 4); i++) {
    const at = PAGE * below(random, pages);
    const other = PAGE * below(random, pages);
    result.set(pick(random, PAGE_DAMAGES)(result.slice(at, at + PAGE), result.slice(other, other + PAGE), random), at);
  }
  return random() < 0.1 ? result.slice(0, below(random, result.length)) : result;
};

const TABLES = ['blocks', 'commits', 'meta', 'refs'] as const;
const anyRow = (random: Random, table: string): string =>
  `rowid = (select rowid from ${table} limit 1 offset ${below(random, ROWS)})`;
const EDITS: readonly ((random: Random, table: string) => string)[] = [
  (random, table) => `delete from ${table} where ${anyRow(random, table)}`,
  (_, table) => `delete from ${table}`,
  (random, table) => `update ${table} set value = zeroblob(${below(random, 5000)}) where ${anyRow(random, table)}`,
  (random, table) =>
    `update ${table} set value = substr(value, 1, ${below(random, 60)}) where ${anyRow(random, table)}`,
  (random, table) => `update ${table} set value = cast(value as text) where ${anyRow(random, table)}`,
  (random, table) =>
    `update ${table} set value = ${pick(random, ['1', '1.5', "'text'", "x''", "x'ff'", '9223372036854775807'])} where ${anyRow(random, table)}`,
  (random, table) =>
    `update ${table} set value = (select value from ${pick(random, TABLES)} limit 1 offset ${below(random, ROWS)}) where ${anyRow(random, table)} and exists (select 1 from blocks)`,
  (random, table) =>
    `update or ignore ${table} set key = ${pick(random, ['upper(key)', 'key || char(0)', "''", "'__proto__'", 'cast(key as blob)', '5', "'main'", 'substr(key, 2)'])} where ${anyRow(random, table)}`,
  (random, table) =>
    `insert or ignore into ${table} values (${pick(random, ["'x'", "''", 'null', "x'00'", "'__proto__'", "'zzzzzzzzzzzzz'", "'main'"])}, ${pick(random, ["x'00'", "'text'", 'zeroblob(100000)', '0'])})`,
  (_, table) => `drop table ${table}`,
  (_, table) => `create trigger t after insert on ${table} begin delete from blocks; end`,
  (_, table) => `create index i on ${table} (value)`,
  () => `create view v as select * from blocks`,
  (_, table) => `alter table ${table} add column extra`,
  (_, table) => `alter table ${table} rename to kv_${table}`,
  (random) => `pragma user_version = ${below(random, 1000)}`,
  (random) => `pragma application_id = ${below(random, 1000)}`,
];

/** Runs a few statements. */
export const editRows = async (files: DatabaseFiles, random: Random): Promise<void> => {
  const database = await openDatabase(files);
  for (let i = 0; i <= below(random, 3); i++) {
    try {
      database.exec(pick(random, EDITS)(random, pick(random, TABLES)));
    } catch (error) {
      if (!isRepoError(error)) {
        throw error;
      }
    }
  }
  database.close();
};

const blocksOf = (database: Database): Block[] => {
  const blocks: Block[] = [];
  const read = database.prepare('select key, value from blocks order by key');
  while (read.step()) {
    blocks.push({ cid: decodeCid(cidTextToBytes(read.columnText(0))!), bytes: read.columnBlob(1) });
  }
  read.finalize();
  return blocks;
};

/**
 * Changes blocks, and hashes and signs them again under one of the commits, which keeps its refs and its place in the
 * list of commits.
 */
export const forgeBlocks = async (files: DatabaseFiles, commits: readonly string[], random: Random): Promise<void> => {
  const database = await openDatabase(files);
  const commit = pick(random, commits);
  const blocks = blocksOf(database);
  const isCommit = ({ cid }: Block): boolean => cidToText(cid) === commit;
  const forged = await mutateBlocks(
    [blocks.find(isCommit)!, ...blocks.filter((block) => !isCommit(block))],
    random,
    KEY,
  );
  database.transaction(() => {
    database.exec('delete from blocks');
    const put = database.prepare('insert or ignore into blocks values (?1, ?2)');
    for (const { cid, bytes } of forged) {
      put.bindText(1, cidToText(cid));
      put.bindBlob(2, bytes);
      put.step();
      put.reset();
    }
    put.finalize();
    for (const table of ['refs', 'commits']) {
      database.exec(
        `update ${table} set value = cast('${cidToText(forged[0]!.cid)}' as blob) where value = cast('${commit}' as blob)`,
      );
    }
  });
  database.close();
};
