import { join } from 'node:path';
import { describe } from 'vitest';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { databaseFilesCases } from '../../src/testing/files/database-files-cases.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { root } from '../house/sources.ts';
import { findRuntime } from './find-runtime.ts';
import { runConformance } from './run-conformance.ts';
import { SYNCS } from './sync-scenario.ts';

const deno = findRuntime('deno');

describe.skipIf(deno === undefined)(deno === undefined ? 'deno (not found)' : 'deno', () => {
  const folder = scratchFolder('deno');
  const permissions = ['--no-prompt', `--allow-read=${folder}`, `--allow-write=${folder}`];
  const names = [...databaseFilesCases, ...blobStoreCases].map(({ name }) => name);
  runConformance(
    'files and blobs, with permissions for one folder',
    deno!,
    ['run', ...permissions, join(root, 'test/runtime/deno/conformance.ts'), folder],
    [...names, 'a missing permission is StorageFailed and names the flags'],
  );
  runConformance(
    'syncs',
    deno!,
    ['run', ...permissions, join(root, 'test/runtime/deno/syncs.ts'), folder],
    [
      'everything is synced before it is acknowledged',
      ...SYNCS.map(({ name }) => `without the sync of ${name}, something is not`),
    ],
  );
});
