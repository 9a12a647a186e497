/** How blocks are added to the table. */
import { describe, expect, test } from 'vitest';
import { insertBlocks } from '../../src/adapters/postgres/insert-blocks.ts';
import { insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import type { NamedBlock } from '../../src/core/blocks/block.ts';
import { cidOfDigest, CODEC_DAG_CBOR } from '../../src/core/data/cid.ts';
import { sha256 } from '../../src/core/data/sha256.ts';
import { newDid } from './connect.ts';
import { useDatabase } from './database.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const blockOf = (number: number): NamedBlock => {
  const bytes = new TextEncoder().encode(`block ${number}`);
  return { cid: cidOfDigest(CODEC_DAG_CBOR, sha256(bytes)), bytes };
};

describe.skipIf(lacksPostgres)(`adding blocks to PostgreSQL${why}`, () => {
  const database = useDatabase();

  test('fills the pages of the index', async () => {
    const { client, names } = database;
    const blocks = Array.from({ length: 12_000 }, (_, i) => blockOf(i));
    // Another account follows this one: PostgreSQL has a rule of its own for the last page of an index.
    await insertBlocks(client, names, String(2n ** 63n - 1n), blocks.slice(0, 200));
    const { id } = await insertRepo(client, names, newDid());
    const added = await insertBlocks(client, names, id, blocks);
    expect(added.every((isNew) => isNew)).toBe(true);
    const [row] = await client.query(`select pg_indexes_size('${names.blocks}'::regclass)::text`);
    // An entry has 60 bytes.
    expect(Number(row![0]) / (blocks.length + 200)).toBeLessThan(60 / 0.88);
  });

  test('reports the new blocks among equal and stored ones', async () => {
    const { client, names } = database;
    const { id } = await insertRepo(client, names, newDid());
    const [a, b, c] = [blockOf(1), blockOf(2), blockOf(3)];
    expect(await insertBlocks(client, names, id, [b, a, b])).toEqual([true, true, false]);
    expect(await insertBlocks(client, names, id, [a, c, b, c])).toEqual([false, true, false, false]);
    expect(await insertBlocks(client, names, id, [a, b])).toEqual([false, false]);
    expect(await insertBlocks(client, names, id, [])).toEqual([]);
  });
});
