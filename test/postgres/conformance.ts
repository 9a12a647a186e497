/** Runs the conformance cases over PostgreSQL in any runtime. The first argument is the address of the server. */
import { migrateTables } from '../../src/adapters/postgres/migrate.ts';
import { tablesIn } from '../../src/adapters/postgres/schema.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { blockStoreCases } from '../../src/testing/storage/block-store-cases.ts';
import { printCases } from '../runtime/print-cases.ts';
import { connectPg, newSchema } from './connect.ts';
import { blobHarness, blockHarness, createRepoHarness } from './harnesses.ts';

const client = connectPg(process.argv[2]!);
const database = { client, names: tablesIn(newSchema()) };
await migrateTables(client, database.names);
await printCases(blockStoreCases, () => blockHarness(database));
await printCases(blobStoreCases, () => blobHarness(database));
const makeRepoHarness = createRepoHarness(client);
await printCases(repoCases, async () => makeRepoHarness());
await client.close();
