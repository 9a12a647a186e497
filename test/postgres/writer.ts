/**
 * A process that writes records to one repository until it has written enough, or its input ends. It prints a line
 * before each call and a line after it: `try <rkey>`, then `ok <rkey>` or `failed <rkey> <code>`.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Pg } from '../../src/adapters/postgres/pg-client.ts';
import { pgClient } from '../../src/adapters/postgres/pg-client.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';

/** What a writer is started with, as JSON in its first argument. */
export interface WriterTask {
  readonly url: string;
  readonly schema: string;
  readonly did: string;
  /** The beginning of its record keys. */
  readonly name: string;
  readonly count: number;
  /** The path of the package `pg`. */
  readonly driver: string;
}

/** The pause after a failure, in milliseconds. */
const PAUSE_MS = 50;

const say = (line: string): void => void writeSync(1, `${line}\n`);

const { url, schema, did, name, count, driver } = JSON.parse(process.argv[2]!) as WriterTask;
const pg = createRequire(import.meta.url)(driver) as Pg;

let isEnding = false;
process.stdin.on('end', () => {
  isEnding = true;
});
process.stdin.resume();

const client = pgClient(pg, { connectionString: url, readers: 1, writers: 1 });
const places = await openPostgres(client, { schema });
const repo = await places.openRepo(did, { signer: KEY });
for (let n = 0; n < count && !isEnding; n++) {
  const rkey = `${name}-${n}`;
  say(`try ${rkey}`);
  try {
    await repo.put(POST, rkey, post(rkey));
    say(`ok ${rkey}`);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    say(`failed ${rkey} ${error.code}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
await places.close();
process.exit(0);
