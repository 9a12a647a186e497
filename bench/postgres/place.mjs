// Where the parts of the bench find PostgreSQL and SQLite: a server, connections that count round trips, and folders.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { importKey } from '../../dist/index.js';
import { openPostgres, pgClient } from '../../dist/postgres.js';

export const pg = createRequire(new URL('../../test/postgres/package.json', import.meta.url))('pg');
export const signer = importKey('11'.repeat(32), 'secp256k1');

/** Starts a private, durable server, as the tests do. Their file is TypeScript. */
export const startServer = async () => {
  const source = new URL('../../test/postgres/server.ts', import.meta.url);
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
  const outfile = join(folder, 'server.mjs');
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    define: { 'import.meta.url': JSON.stringify(source.href) },
  });
  const server = await (await import(pathToFileURL(outfile).href)).startServer({ durable: true });
  rmSync(folder, { recursive: true });
  return server;
};

/** A client that counts the round trips. */
export const countingClient = (url) => {
  const client = pgClient(pg, { connectionString: url, readers: 8, writers: 8 });
  const counted = { trips: 0 };
  const count = (call) => {
    counted.trips += 1;
    return call;
  };
  counted.client = {
    ...client,
    query: (text, parameters) => count(client.query(text, parameters)),
    copyOut: (text, onChunk) => count(client.copyOut(text, onChunk)),
    async connect() {
      const connection = await client.connect();
      return {
        query: (text, parameters) => count(connection.query(text, parameters)),
        run: (statements) => count(connection.run(statements)),
        release: (broken) => connection.release(broken),
      };
    },
  };
  return counted;
};

export const SCHEMA = 'pdsdb_bench';
export const openPlaces = (url, client = countingClient(url).client) => openPostgres(client, { schema: SCHEMA });

/** Returns a folder that is removed when the process ends. */
export const scratch = () => {
  const path = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
};

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

export const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
