/** Reading all blocks of a repository from PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { PostgresBlockStore } from '../../src/adapters/postgres/block-store.ts';
import { insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import type { NamedBlock } from '../../src/core/blocks/block.ts';
import type { PackedBlocks } from '../../src/core/blocks/packed-blocks.ts';
import { cidBytesToText, cidOfDigest, cidToText, CODEC_DAG_CBOR } from '../../src/core/data/cid.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import { sha256 } from '../../src/core/data/sha256.ts';
import { openPostgres } from '../../src/postgres.ts';
import { LIMITS, newDid, newSchema } from './connect.ts';
import { useDatabase } from './database.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const blockOf = (bytes: Uint8Array): NamedBlock => ({ cid: cidOfDigest(CODEC_DAG_CBOR, sha256(bytes)), bytes });
const smallBlocks = (count: number): NamedBlock[] =>
  Array.from({ length: count }, (_, i) => blockOf(new TextEncoder().encode(`block ${i}`)));

const entriesOf = (pages: readonly PackedBlocks[]): [cid: string, bytes: string][] =>
  pages.flatMap((page) =>
    Array.from({ length: page.length }, (_, i): [string, string] => [
      cidBytesToText(page.cidAt(i)),
      Buffer.from(page.bytesAt(i)).toString('base64'),
    ]),
  );
const expected = (blocks: readonly NamedBlock[]): [cid: string, bytes: string][] =>
  blocks
    .map(({ cid, bytes }): [string, string] => [cidToText(cid), Buffer.from(bytes).toString('base64')])
    .sort(([a], [b]) => (a < b ? -1 : 1));

describe.skipIf(lacksPostgres)(`scanning blocks in PostgreSQL${why}`, () => {
  const database = useDatabase();
  const open = async (blocks: readonly NamedBlock[]): Promise<PostgresBlockStore> => {
    const { client, names } = database;
    const store = new PostgresBlockStore(client, names, await insertRepo(client, names, newDid()), LIMITS);
    await store.transact((change) => change.put(blocks));
    return store;
  };

  test.each([
    ['nothing', [], 1],
    ['one block', smallBlocks(1), 1],
    ['more blocks than a page', smallBlocks(20_000), 2],
    [
      'blocks of half a page',
      Array.from({ length: 5 }, (_, i) => blockOf(new Uint8Array(2 * 1024 * 1024 + 1).fill(i))),
      3,
    ],
    ['an empty block', [blockOf(new Uint8Array(0))], 1],
  ])('%s', async (_, blocks, pages) => {
    const store = await open(blocks);
    const read = await listOf((await store.maintenance!.scan!(Infinity))!);
    expect(read).toHaveLength(pages);
    expect(entriesOf(read)).toEqual(expected(blocks));
  });

  test.each([
    ['more blocks than a page', smallBlocks(40_000), 2],
    ['large blocks', Array.from({ length: 9 }, (_, i) => blockOf(new Uint8Array(1024 * 1024 + i).fill(i))), 3],
  ])('for a reader that keeps them, %s: after the first page, in one statement', async (_, blocks, parts) => {
    const { client, names } = database;
    const row = await insertRepo(client, names, newDid());
    const copied: string[] = [];
    const copyOut: NonNullable<SqlClient['copyOut']> = (text, onChunk) => {
      copied.push(text);
      // Chunks may end anywhere.
      return client.copyOut!(text, (chunk) => {
        for (let start = 0; start < chunk.length; start += 65_521) {
          onChunk(chunk.subarray(start, start + 65_521));
        }
      });
    };
    const store = new PostgresBlockStore({ ...client, copyOut }, names, row, LIMITS);
    await store.transact((change) => change.put(blocks));
    const read = await listOf((await store.maintenance!.scan!(64 * 1024 * 1024))!);
    expect(copied).toHaveLength(2);
    expect(read.length).toBeGreaterThanOrEqual(parts);
    expect(entriesOf(read)).toEqual(expected(blocks));
  });

  test('a failure of the statement for the rest is reported', async () => {
    const { client, names } = database;
    const row = await insertRepo(client, names, newDid());
    let count = 0;
    const copyOut: NonNullable<SqlClient['copyOut']> = (text, onChunk) => {
      count += 1;
      return client.copyOut!(count === 1 ? text : text.replace('key, bytes', '1 / 0, bytes'), onChunk);
    };
    const store = new PostgresBlockStore({ ...client, copyOut }, names, row, LIMITS);
    await store.transact((change) => change.put(smallBlocks(20_000)));
    const pages = (await store.maintenance!.scan!(64 * 1024 * 1024))!;
    await expect(listOf(pages)).rejects.toMatchObject({ code: 'StorageFailed' });
  });

  test('is refused above the limit, and stops early', async () => {
    const blocks = smallBlocks(20_000);
    const store = await open(blocks);
    const size = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(await store.maintenance!.scan!(size - 1)).toBeUndefined();
    for await (const page of (await store.maintenance!.scan!(size))!) {
      expect(page.length).toBeGreaterThan(0);
      break;
    }
  });

  test('a key that is not a CID is Corrupt', async () => {
    const { client, names } = database;
    const row = await insertRepo(client, names, newDid());
    const store = new PostgresBlockStore(client, names, row, LIMITS);
    await client.query(
      `insert into ${names.blocks} values ($1::text::int8, decode(repeat('ff', 36), 'hex'), ''::bytea)`,
      [row.id],
    );
    await expect(store.maintenance!.scan!(Infinity)).rejects.toMatchObject({ code: 'Corrupt' });
  });

  test('a check and an export of a repository take few statements, and the same report without COPY', async () => {
    let statements = 0;
    const counting: SqlClient = {
      ...database.client,
      query: (text, parameters) => {
        statements += 1;
        return database.client.query(text, parameters);
      },
      copyOut: (text, onChunk) => {
        statements += 1;
        return database.client.copyOut!(text, onChunk);
      },
      close: async () => undefined,
    };
    const schema = newSchema();
    const repos = await openPostgres(counting, { schema });
    await repos.migrate();
    const did = newDid();
    const repo = await repos.createRepo({ did });
    await repo.write(
      Array.from({ length: 2000 }, (_, i) => ({
        action: 'create' as const,
        collection: 'com.example.note',
        rkey: `note${i}`,
        value: { $type: 'com.example.note', text: `note ${i}` },
      })),
    );
    statements = 0;
    const report = await repo.verify();
    expect(report).toMatchObject({ ok: true, records: 2000 });
    expect(statements).toBeLessThan(20);
    statements = 0;
    const car = await new Response(repo.exportCar()).bytes();
    expect(statements).toBeLessThan(10);

    const { copyOut: _, ...withoutCopy } = counting;
    const others = await openPostgres(withoutCopy, { schema });
    const again = await others.openRepo(did);
    expect(await again.verify()).toEqual(report);
    expect(await new Response(again.exportCar()).bytes()).toEqual(car);
    await others.close();
    await repos.close();
  });
});
