/** All cases over PostgreSQL in Bun and Deno. */
import { join } from 'node:path';
import { describe, inject } from 'vitest';
import { repoCases } from '../../src/testing/repo/cases.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { blockStoreCases } from '../../src/testing/storage/block-store-cases.ts';
import { root } from '../house/sources.ts';
import { findRuntime } from '../runtime/find-runtime.ts';
import { runConformance } from '../runtime/run-conformance.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const names = [...blockStoreCases, ...blobStoreCases, ...repoCases].map(({ name }) => name);
const program = join(root, 'test/postgres/conformance.ts');
const permissions = ['run', '--no-prompt', '--allow-read', '--allow-env', '--allow-sys', '--allow-net=127.0.0.1'];

for (const [runtime, args] of Object.entries({ bun: [], deno: permissions }) as ['bun' | 'deno', string[]][]) {
  const found = findRuntime(runtime);
  const isSkipped = lacksPostgres || found === undefined;
  // Its first test waits for all cases.
  describe.skipIf(isSkipped)(`${runtime}${found === undefined ? ' (not found)' : why}`, { timeout: 600_000 }, () => {
    runConformance('PostgreSQL', found!, [...args, program, isSkipped ? '' : inject('postgresUrl')], names);
  });
}
