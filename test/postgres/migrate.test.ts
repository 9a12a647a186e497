/** Making the tables: from nothing, again, by many at once, and never over newer ones. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { migrateTables } from '../../src/adapters/postgres/migrate.ts';
import { insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import { assertMigrated, TABLES_VERSION, tablesIn, tablesVersion } from '../../src/adapters/postgres/schema.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

describe.skipIf(lacksPostgres)(`migrations${why}`, () => {
  let client: SqlClient;
  beforeAll(() => {
    client = connectPg(inject('postgresUrl'));
  });
  afterAll(() => client.close());

  test('make the tables once', async () => {
    const names = tablesIn(newSchema());
    expect(await tablesVersion(client, names)).toBeUndefined();
    await expect(assertMigrated(client, names)).rejects.toMatchObject({
      code: 'UnknownVersion',
      message: expect.stringContaining('call migrate()'),
    });
    await migrateTables(client, names);
    await assertMigrated(client, names);
    const did = newDid();
    await insertRepo(client, names, did);
    await migrateTables(client, names);
    expect(await tablesVersion(client, names)).toBe(TABLES_VERSION);
    await expect(insertRepo(client, names, did)).rejects.toMatchObject({ code: 'RepoExists' });
  });

  test('wait for each other', async () => {
    const names = tablesIn(newSchema());
    await Promise.all(Array.from({ length: 8 }, () => migrateTables(client, names)));
    expect(await tablesVersion(client, names)).toBe(TABLES_VERSION);
  });

  test('use a schema that exists, and leave the tables of others', async () => {
    const names = tablesIn(newSchema());
    await client.query(`create schema ${names.schema}`);
    await client.query(`create table ${names.schema}.notes (text text)`);
    await migrateTables(client, names);
    expect(await client.query(`select text from ${names.schema}.notes`)).toEqual([]);
  });

  test('refuse tables of a newer version, and change nothing', async () => {
    const names = tablesIn(newSchema());
    await migrateTables(client, names);
    await client.query(`insert into ${names.layout} (version) values (${TABLES_VERSION + 1})`);
    for (const call of [migrateTables, assertMigrated]) {
      await expect(call(client, names)).rejects.toMatchObject({
        code: 'UnknownVersion',
        message: expect.stringContaining('update pdsdb'),
      });
    }
  });

  test('refuse a name that needs quotes', () => {
    for (const name of ['', 'a"b', 'A', '1a', 'a-b', 'a'.repeat(64), 'a b']) {
      expect(() => tablesIn(name)).toThrow(TypeError);
    }
  });

  test('leave tables that refuse what is not an entry', async () => {
    const names = tablesIn(newSchema());
    await migrateTables(client, names);
    const refused = (statement: string): Promise<void> =>
      expect(client.query(statement)).rejects.toMatchObject({ code: '23514' });
    await refused(`insert into ${names.repos} values (1, 'did:web:a.example')`);
    await refused(`insert into ${names.blocks} values (1, '\\x01', '')`);
    await refused(`insert into ${names.refs} values (1, '\\x01', decode(repeat('00', 36), 'hex'))`);
    await refused(
      `insert into ${names.commits} values (1, '3jzfcijpj2z2', decode('01711220' || repeat('00', 32), 'hex'))`,
    );
    await refused(
      `insert into ${names.blobs} values (1, decode(repeat('00', 36), 'hex'), -1, now(), decode(repeat('00', 16), 'hex'))`,
    );
  });
});
