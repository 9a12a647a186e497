/** The statements of docs/postgres.md: partitions, and a role that sees one account. */
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { blockStoreCases } from '../../src/testing/storage/block-store-cases.ts';
import { textOf } from '../house/sources.ts';
import { runCases } from '../run-cases.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { useDatabase } from './database.ts';
import { blockHarness } from './harnesses.ts';
import { lacksPostgres, why } from './postgres-test.ts';

/** Returns the statements of a section, for a schema. */
const statementsOf = (title: string, schema: string): string => {
  const section = textOf('docs/postgres.md').split(`\n## ${title}\n`)[1]!;
  return section
    .split('```sql\n')[1]!
    .split('```')[0]!
    .replaceAll('pdsdb.', `${schema}.`)
    .replaceAll('schema pdsdb', `schema ${schema}`);
};

const run = async (statements: string): Promise<void> => {
  const client = connectPg(inject('postgresUrl'));
  const connection = await client.connect();
  try {
    await connection.run(statements);
  } finally {
    connection.release(true);
    await client.close();
  }
};

describe.skipIf(lacksPostgres)(`a block store over 16 partitions${why}`, () => {
  const database = useDatabase();
  beforeAll(() => run(statementsOf('Partitions', database.names.schema)));
  runCases(blockStoreCases, () => blockHarness(database));

  test('the blocks are spread over the partitions', async () => {
    const { client, names } = database;
    const [first] = await client.query(`select count(distinct tableoid)::text from ${names.blocks}`);
    expect(Number(first![0])).toBeGreaterThan(8);
    const { id } = await insertRepo(client, names, newDid());
    const plan = await client.query(`explain select bytes from ${names.blocks} where repo = ${id} and key = '\\x00'`);
    expect(plan.flat().filter((line) => String(line).includes('Index Scan'))).toHaveLength(1);
  });
});

describe.skipIf(lacksPostgres)(`a role that sees one account${why}`, () => {
  const role = newSchema();
  afterAll(async () => {
    if (!lacksPostgres) {
      await run(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  test('reads and writes its own account, and no other exists', async () => {
    const schema = newSchema();
    const [own, other] = [newDid(), newDid()];
    await using places = await openPostgres(connectPg(inject('postgresUrl')), { schema });
    await places.migrate();
    for (const did of [own, other]) {
      await (await places.createRepo({ did, signer: KEY })).put(POST, 'a', post(did));
    }
    const statements = statementsOf('Row-level security', schema)
      .replaceAll('did:web:alice.example.com', own)
      .replaceAll('alice', role);
    await run(statements);
    const url = new URL(inject('postgresUrl'));
    url.username = role;
    const limited = await openPostgres(connectPg(url.href), { schema });
    onTestFinished(() => limited.close());
    expect((await limited.listRepos()).map(({ did }) => did)).toEqual([own]);
    const repo = await limited.openRepo(own, { signer: KEY });
    await repo.put(POST, 'b', post('b'));
    await repo.putBlob(new Uint8Array([1]));
    expect((await repo.info()).records).toBe(2);
    expect(await repo.verify({ key: KEY.did() })).toMatchObject({ ok: true, signature: 'valid' });
    await expect(limited.openRepo(other)).rejects.toMatchObject({ code: 'RepoNotFound' });
    await expect(limited.createRepo({ did: newDid() })).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(await limited.deleteRepo(other)).toBe(false);
    expect((await (await places.openRepo(other)).get(POST, 'a'))?.value.text).toBe(other);
  });
});
